package org.llamaj.tokenizer.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One message of a conversation.
 *
 * @param role who says it
 * @param content its parts, in order
 * @param ending how it ends
 */
public record Message(Role role, List<Content> content, Ending ending) {
  /** How a message ends. */
  public enum Ending {
    /** The turn is over ({@code <|eot_id|>}). */
    END_OF_TURN,
    /** The speaker will go on after a tool has answered ({@code <|eom_id|>}). */
    END_OF_MESSAGE
  }

  /** Copies the parts and refuses those that the role cannot have. */
  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(ending, "ending");
    content = List.copyOf(content);
    for (Content part : content) {
      boolean fits =
          switch (part) {
            case Content.Text text -> true;
            case Content.Context context -> role == Role.USER;
            case Content.Image image -> role == Role.USER || role == Role.TOOL;
            case Content.ToolCall call -> role == Role.ASSISTANT;
            case Content.ToolResult result -> role == Role.TOOL;
          };
      if (!fits) {
        throw new IllegalArgumentException(
            "A message of role %s cannot have a part of type %s"
                .formatted(role, part.getClass().getSimpleName()));
      }
    }
  }

  /**
   * A message that ends the turn.
   *
   * @param role who says it
   * @param content its parts, in order
   */
  public Message(Role role, List<Content> content) {
    this(role, content, Ending.END_OF_TURN);
  }

  /**
   * A message of the system.
   *
   * @param text what it says
   * @return the message
   */
  public static Message system(String text) {
    return new Message(Role.SYSTEM, List.of(new Content.Text(text)));
  }

  /**
   * A message of the user.
   *
   * @param text what it says
   * @return the message
   */
  public static Message user(String text) {
    return new Message(Role.USER, List.of(new Content.Text(text)));
  }

  /**
   * A message of the user.
   *
   * @param parts texts and images, in order
   * @return the message
   */
  public static Message user(Content... parts) {
    return new Message(Role.USER, List.of(parts));
  }

  /**
   * A message of the model.
   *
   * @param text what it says
   * @return the message
   */
  public static Message assistant(String text) {
    return new Message(Role.ASSISTANT, List.of(new Content.Text(text)));
  }

  /**
   * A message in which the model calls tools.
   *
   * @param text what it says before the calls; may be empty
   * @param calls the calls
   * @return the message
   */
  public static Message assistant(String text, List<Content.ToolCall> calls) {
    List<Content> parts = new ArrayList<>();
    if (!text.isEmpty()) {
      parts.add(new Content.Text(text));
    }
    parts.addAll(calls);
    return new Message(Role.ASSISTANT, parts);
  }

  /**
   * What a tool returned.
   *
   * @param result the result
   * @return the message
   */
  public static Message tool(Content.ToolResult result) {
    return new Message(Role.TOOL, List.of(result));
  }

  /**
   * The same message with another ending.
   *
   * @param other how it ends
   * @return the new message
   */
  public Message withEnding(Ending other) {
    return new Message(role, content, other);
  }

  /**
   * All text of this message, without context, images and tool calls.
   *
   * @return the texts and tool results, one after another
   */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Content part : content) {
      switch (part) {
        case Content.Text t -> text.append(t.text());
        case Content.ToolResult r -> text.append(r.text());
        case Content.Context c -> {}
        case Content.Image i -> {}
        case Content.ToolCall c -> {}
      }
    }
    return text.toString();
  }

  /**
   * The tool calls of this message.
   *
   * @return the calls, in order
   */
  public List<Content.ToolCall> toolCalls() {
    return content.stream()
        .filter(Content.ToolCall.class::isInstance)
        .map(Content.ToolCall.class::cast)
        .toList();
  }
}
