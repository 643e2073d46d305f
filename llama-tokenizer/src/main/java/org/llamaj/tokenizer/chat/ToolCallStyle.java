package org.llamaj.tokenizer.chat;

/** How calls of user-defined tools are written in the model's messages. */
public enum ToolCallStyle {
  /** {@code {"type": "function", "name": "f", "parameters": {"x": 1}}}. */
  JSON,
  /** {@code <function=f>{"x": 1}</function>}. */
  FUNCTION_TAG,
  /** {@code [f(x=1)]}. */
  PYTHON_LIST
}
