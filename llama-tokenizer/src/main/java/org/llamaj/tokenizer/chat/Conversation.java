package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.List;

/**
 * Messages, and the tools the model may call. Immutable: a conversation that goes on is a new
 * value.
 *
 * @param messages what has been said, in order
 * @param tools the tools the model may call
 */
public record Conversation(List<Message> messages, List<ToolDefinition> tools) {
  /** Copies the lists. */
  public Conversation {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
  }

  /**
   * A conversation without tools.
   *
   * @param messages what has been said, in order
   * @return the conversation
   */
  public static Conversation of(Message... messages) {
    return new Conversation(List.of(messages), List.of());
  }

  /**
   * This conversation with more messages at its end.
   *
   * @param more what is said next
   * @return the longer conversation
   */
  public Conversation plus(Message... more) {
    List<Message> all = new ArrayList<>(messages);
    all.addAll(List.of(more));
    return new Conversation(all, tools);
  }

  /**
   * This conversation with other tools.
   *
   * @param others the tools the model may call
   * @return the conversation with them
   */
  public Conversation withTools(List<ToolDefinition> others) {
    return new Conversation(messages, others);
  }
}
