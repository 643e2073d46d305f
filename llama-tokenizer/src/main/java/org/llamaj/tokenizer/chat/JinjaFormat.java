package org.llamaj.tokenizer.chat;

import java.time.Duration;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.AddedToken;
import org.llamaj.tokenizer.bpe.AddedTokens;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.jinja.JinjaException;
import org.llamaj.tokenizer.jinja.Template;

/**
 * The format that a model file's own chat template describes.
 *
 * <p>A template gives text, and control tokens are recognised in it. So that messages cannot forge
 * any, a mark is put inside everything in them that looks like one before rendering, and taken out
 * after the control tokens have been found.
 */
final class JinjaFormat implements ChatFormat {
  private static final Duration TIME = Duration.ofSeconds(10);

  private final Tokenizer tokenizer;
  private final ImageLayout layout;
  private final Template template;
  private final AddedTokens controlTokens;

  JinjaFormat(Tokenizer tokenizer, String source, ImageLayout layout) {
    this.tokenizer = tokenizer;
    this.layout = layout;
    try {
      this.template = Template.parse(source);
    } catch (JinjaException e) {
      throw new TokenizerException("The chat template is not well-formed: " + e.getMessage(), e);
    }
    this.controlTokens =
        new AddedTokens(
            tokenizer.specialTokens().entrySet().stream()
                .map(token -> new AddedToken(token.getValue(), token.getKey(), true))
                .toList());
  }

  @Override
  public String name() {
    return "the file's chat template";
  }

  @Override
  public Prompt prompt(Conversation conversation) {
    Guard guard = guard(conversation);
    return encode(render(conversation, guard, true), guard, images(conversation.messages()));
  }

  @Override
  public Optional<Prompt> continuation(Conversation conversation, int known) {
    List<Message> next = ChatFormat.messagesAfter(conversation, known);
    Guard guard = guard(conversation);
    String all = render(conversation, guard, true);
    String before =
        render(
            conversation.withMessages(conversation.messages().subList(0, known - 1)), guard, true);
    String answer = guard.mark(conversation.messages().get(known - 1).text());
    if (!all.startsWith(before + answer)
        || !conversation.messages().get(known - 1).toolCalls().isEmpty()) {
      return Optional.empty();
    }
    String rest = all.substring(before.length() + answer.length());
    return Optional.of(encode(rest, guard, images(next)));
  }

  private Guard guard(Conversation conversation) {
    return new Guard(controlTokens, TemplateVariables.strings(conversation));
  }

  private String render(Conversation conversation, Guard guard, boolean generate) {
    LocalDateTime now = LocalDateTime.now();
    LocalDate date = conversation.date().orElse(now.toLocalDate());
    try {
      return template.render(
          TemplateVariables.of(conversation, tokenizer, guard, generate),
          () -> date.atTime(now.toLocalTime()),
          TIME);
    } catch (JinjaException e) {
      throw new TokenizerException(
          "The chat template cannot write this conversation: " + e.getMessage(), e);
    }
  }

  private static List<Content.Image> images(List<Message> messages) {
    return messages.stream()
        .flatMap(message -> message.content().stream())
        .filter(Content.Image.class::isInstance)
        .map(Content.Image.class::cast)
        .toList();
  }

  private Prompt encode(String text, Guard guard, List<Content.Image> images) {
    PromptBuilder prompt = new PromptBuilder(tokenizer);
    int from = 0;
    int image = 0;
    AddedTokens.Match match;
    while ((match = controlTokens.find(text, from, SpecialTokens.all())) != null) {
      plain(prompt, guard.unmark(text.substring(from, match.start())));
      AddedToken token = match.token();
      if (token.text().equals("<|image|>") && image < images.size()) {
        prompt.image(images.get(image++), layout);
      } else {
        prompt.token(new ControlToken(token.id(), token.text()));
      }
      from = match.end();
    }
    plain(prompt, guard.unmark(text.substring(from)));
    if (image < images.size()) {
      throw new TokenizerException(
          "The chat template has places for %d of %d images".formatted(image, images.size()));
    }
    return prompt.build();
  }

  private static void plain(PromptBuilder prompt, String text) {
    if (!text.isEmpty()) {
      prompt.plain(text);
    }
  }
}
