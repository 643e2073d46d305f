package org.llamaj.tokenizer.chat;

/** Describes tools to the model. */
final class ToolPrompts {
  private ToolPrompts() {}

  static Conversation withTools(Conversation conversation, ToolCallStyle style) {
    return conversation;
  }
}
