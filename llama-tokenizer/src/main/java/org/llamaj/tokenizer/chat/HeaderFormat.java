package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;

/**
 * The formats in which every message has a header with its role: Llama 3 and Llama 4, as in {@code
 * chat_format.py} of Meta's releases. Header, text parts, context and tool calls are each encoded
 * on their own.
 */
final class HeaderFormat implements ChatFormat {
  /** What differs between the families. */
  private enum Family {
    LLAMA_3("Llama 3"),
    LLAMA_4("Llama 4");

    private final String title;

    Family(String title) {
      this.title = title;
    }
  }

  private final Family family;
  private final Tokenizer tokenizer;
  private final ToolCallStyle style;
  private final ImageLayout images;
  private final ControlToken begin;
  private final ControlToken headerStart;
  private final ControlToken headerEnd;
  private final ControlToken endOfTurn;
  private final ControlToken endOfMessage;
  private final Optional<ControlToken> pythonTag;

  private HeaderFormat(
      Family family,
      Tokenizer tokenizer,
      ToolCallStyle style,
      ImageLayout images,
      List<String> names) {
    this.family = family;
    this.tokenizer = tokenizer;
    this.style = style;
    this.images = images;
    this.begin = token("<|begin_of_text|>");
    this.headerStart = token(names.get(0));
    this.headerEnd = token(names.get(1));
    this.endOfTurn = token(names.get(2));
    // The first release of Llama 3 knew no end of message; nothing but a tool call needs it.
    this.endOfMessage = token(names.get(3), names.get(2));
    this.pythonTag =
        tokenizer.special("<|python_tag|>").isPresent() && family == Family.LLAMA_3
            ? Optional.of(token("<|python_tag|>"))
            : Optional.empty();
  }

  static HeaderFormat llama3(Tokenizer tokenizer, ToolCallStyle style, ImageLayout images) {
    return new HeaderFormat(
        Family.LLAMA_3,
        tokenizer,
        style,
        images,
        List.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"));
  }

  static HeaderFormat llama4(Tokenizer tokenizer, ToolCallStyle style, ImageLayout images) {
    return new HeaderFormat(
        Family.LLAMA_4,
        tokenizer,
        style,
        images,
        List.of("<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>"));
  }

  @Override
  public String name() {
    return family.title;
  }

  @Override
  public Prompt prompt(Conversation conversation) {
    PromptBuilder prompt = new PromptBuilder(tokenizer).token(begin);
    messages(prompt, withToolsDescribed(conversation).messages());
    return prompt.build();
  }

  @Override
  public Optional<Prompt> continuation(Conversation conversation, int known) {
    List<Message> next = ChatFormat.messagesAfter(conversation, known);
    PromptBuilder prompt = new PromptBuilder(tokenizer);
    prompt.token(ending(conversation.messages().get(known - 1)));
    messages(prompt, next);
    return Optional.of(prompt.build());
  }

  private Conversation withToolsDescribed(Conversation conversation) {
    if (conversation.tools().isEmpty()) {
      return conversation.builtInTools().isEmpty()
          ? conversation
          : ToolPromptStyle.LLAMA_3_1_BUILT_IN.describe(conversation);
    }
    ToolPromptStyle prompt =
        switch (style) {
          case JSON -> ToolPromptStyle.LLAMA_3_1_JSON;
          case FUNCTION_TAG -> ToolPromptStyle.LLAMA_3_1_FUNCTION_TAG;
          case PYTHON_LIST ->
              family == Family.LLAMA_4
                  ? ToolPromptStyle.LLAMA_4_PYTHONIC_SYSTEM
                  : ToolPromptStyle.LLAMA_3_2_PYTHONIC_SYSTEM;
        };
    return prompt.describe(conversation);
  }

  private void messages(PromptBuilder prompt, List<Message> messages) {
    for (Message message : messages) {
      header(prompt, role(message.role()));
      content(prompt, message);
      prompt.token(ending(message));
    }
    header(prompt, role(Role.ASSISTANT));
  }

  private void header(PromptBuilder prompt, String role) {
    prompt.token(headerStart).plain(role).token(headerEnd).plain("\n\n");
  }

  private void content(PromptBuilder prompt, Message message) {
    List<Content.ToolCall> calls = message.toolCalls();
    if (!calls.isEmpty() && calls.getFirst().name().equals(ToolCallWriter.CODE_INTERPRETER)) {
      pythonTag.ifPresent(prompt::token);
    }
    for (Content part : message.content()) {
      switch (part) {
        case Content.Text text -> prompt.plain(text.text());
        case Content.Context context -> prompt.plain("\n\n").plain(context.text());
        case Content.ToolResult result -> prompt.plain(result.text());
        case Content.Image image -> prompt.image(image, images);
        case Content.ToolCall call -> prompt.plain(ToolCallWriter.write(call, style));
      }
    }
  }

  private ControlToken ending(Message message) {
    boolean goesOn = message.ending() == Message.Ending.END_OF_MESSAGE;
    if (family == Family.LLAMA_4) {
      goesOn |= message.role() == Role.TOOL || !message.toolCalls().isEmpty();
    }
    return goesOn ? endOfMessage : endOfTurn;
  }

  private static String role(Role role) {
    return switch (role) {
      case SYSTEM -> "system";
      case USER -> "user";
      case ASSISTANT -> "assistant";
      case TOOL -> "ipython";
    };
  }

  private ControlToken token(String... names) {
    return ControlToken.of(tokenizer, family.title, names);
  }
}
