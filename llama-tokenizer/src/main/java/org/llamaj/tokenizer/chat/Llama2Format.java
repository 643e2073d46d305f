package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.PythonStrings;

/**
 * The format of Llama 2 chat models, as in {@code generation.py} of Meta's release: questions and
 * answers take turns, the system's message is part of the first question, and each question with
 * its answer is encoded on its own.
 */
final class Llama2Format implements ChatFormat {
  private final Tokenizer tokenizer;
  private final ControlToken begin;
  private final ControlToken end;

  Llama2Format(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.begin = ControlToken.of(tokenizer, name(), "<s>");
    this.end = ControlToken.of(tokenizer, name(), "</s>");
  }

  @Override
  public String name() {
    return "Llama 2";
  }

  @Override
  public Prompt prompt(Conversation conversation) {
    PromptBuilder prompt = new PromptBuilder(tokenizer);
    if (!conversation.tools().isEmpty() || !conversation.builtInTools().isEmpty()) {
      throw unsupported("tools");
    }
    List<Message> messages = conversation.messages();
    String system = "";
    if (!messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM) {
      system = "<<SYS>>\n" + text(messages.getFirst()) + "\n<</SYS>>\n\n";
      messages = messages.subList(1, messages.size());
    }
    exchanges(prompt, messages, system);
    return prompt.build();
  }

  @Override
  public Optional<Prompt> continuation(Conversation conversation, int known) {
    PromptBuilder prompt = new PromptBuilder(tokenizer);
    prompt.token(end);
    exchanges(prompt, ChatFormat.messagesAfter(conversation, known), "");
    return Optional.of(prompt.build());
  }

  private void exchanges(PromptBuilder prompt, List<Message> messages, String system) {
    if (messages.size() % 2 == 0) {
      throw new TokenizerException(
          "%s: expected the last message to be the user's, after turns of user and assistant"
              .formatted(name()));
    }
    String prefix = system;
    for (int i = 0; i < messages.size(); i += 2) {
      String question = prefix + text(expect(messages.get(i), Role.USER, i));
      prompt.token(begin);
      String instruction = "[INST] " + PythonStrings.strip(question) + " [/INST]";
      prefix = "";
      if (i + 1 == messages.size()) {
        prompt.plain(instruction);
      } else {
        String answer = text(expect(messages.get(i + 1), Role.ASSISTANT, i + 1));
        prompt.plain(instruction + " " + PythonStrings.strip(answer) + " ").token(end);
      }
    }
  }

  private Message expect(Message message, Role role, int index) {
    if (message.role() != role) {
      throw new TokenizerException(
          "%s: expected turns of user and assistant, found role %s in turn %d"
              .formatted(name(), message.role(), index + 1));
    }
    return message;
  }

  private String text(Message message) {
    StringBuilder text = new StringBuilder();
    for (Content part : message.content()) {
      switch (part) {
        case Content.Text t -> text.append(t.text());
        case Content.Context c -> text.append("\n\n").append(c.text());
        case Content.Image i -> throw unsupported("images");
        case Content.ToolCall c -> throw unsupported("tool calls");
        case Content.ToolResult r -> throw unsupported("tool results");
      }
    }
    return text.toString();
  }

  private TokenizerException unsupported(String what) {
    return new TokenizerException("%s: the format has no %s".formatted(name(), what));
  }
}
