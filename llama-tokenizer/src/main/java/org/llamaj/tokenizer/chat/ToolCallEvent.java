package org.llamaj.tokenizer.chat;

/** What a {@link ToolCallParser} makes of the model's answer as it arrives. */
public sealed interface ToolCallEvent {
  /**
   * Text for the reader.
   *
   * @param text more of it; never empty
   */
  record Text(String text) implements ToolCallEvent {}

  /**
   * More of what looks like a tool call. Whether it is one is known at the end only; then it comes
   * again as a {@link Call}, or all of them as one {@link Malformed}.
   *
   * @param index which call of the answer, from 0
   * @param name the tool's name
   * @param fragment more of its arguments, as the model writes them; empty when the call begins
   */
  record Growing(int index, String name, String fragment) implements ToolCallEvent {}

  /**
   * A complete call.
   *
   * @param call the call
   */
  record Call(Content.ToolCall call) implements ToolCallEvent {}

  /**
   * What had begun as a call but is none.
   *
   * @param text all of it, as the model wrote it
   * @param reason what is wrong with it
   */
  record Malformed(String text, String reason) implements ToolCallEvent {}
}
