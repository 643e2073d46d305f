package org.llamaj.tokenizer.chat;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Messages, and the tools the model may call. Immutable: a conversation that goes on is a new
 * value.
 *
 * @param messages what has been said, in order
 * @param tools the tools the model may call
 * @param builtInTools the tools it knows by name: {@code brave_search}, {@code wolfram_alpha},
 *     {@code code_interpreter}
 * @param date what the model is told is today, where the format tells it; empty for the date of the
 *     clock
 */
public record Conversation(
    List<Message> messages,
    List<ToolDefinition> tools,
    List<String> builtInTools,
    Optional<LocalDate> date) {
  /** Copies the lists. */
  public Conversation {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    builtInTools = List.copyOf(builtInTools);
  }

  /**
   * A conversation without built-in tools, on the date of the clock.
   *
   * @param messages what has been said, in order
   * @param tools the tools the model may call
   */
  public Conversation(List<Message> messages, List<ToolDefinition> tools) {
    this(messages, tools, List.of(), Optional.empty());
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
    return withMessages(all);
  }

  /**
   * This conversation with other messages.
   *
   * @param others what has been said, in order
   * @return the conversation with them
   */
  public Conversation withMessages(List<Message> others) {
    return new Conversation(others, tools, builtInTools, date);
  }

  /**
   * This conversation with other tools.
   *
   * @param others the tools the model may call
   * @return the conversation with them
   */
  public Conversation withTools(List<ToolDefinition> others) {
    return new Conversation(messages, others, builtInTools, date);
  }

  /**
   * This conversation with other built-in tools.
   *
   * @param others their names
   * @return the conversation with them
   */
  public Conversation withBuiltInTools(List<String> others) {
    return new Conversation(messages, tools, others, date);
  }

  /**
   * This conversation on a date.
   *
   * @param today what the model is told is today
   * @return the conversation on it
   */
  public Conversation on(LocalDate today) {
    return new Conversation(messages, tools, builtInTools, Optional.of(today));
  }
}
