package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** Tells from a vocabulary and a template which format a model expects. */
final class ChatFormats {
  private static final Conversation PROBE =
      Conversation.of(Message.user("1"), Message.assistant("2"), Message.user("3"));

  private ChatFormats() {}

  /**
   * The family's own format where the template writes turns as it does, whatever it writes before
   * them: then control tokens are set as ids. Any other template is interpreted.
   */
  static ChatFormat detect(
      Tokenizer tokenizer, Optional<String> template, Optional<ImageLayout> layout) {
    ImageLayout images = layout.orElseGet(() -> images(tokenizer));
    Optional<ChatFormat> family = family(tokenizer, images);
    if (template.isEmpty()) {
      return family.orElseThrow(
          () ->
              new TokenizerException(
                  "The model file has no chat template, and its vocabulary has not the tokens of"
                      + " any chat format of Llama 2, 3 or 4"));
    }
    if (family.isPresent() && writesTurnsAs(family.get(), tokenizer, template.get(), images)) {
      return family.get();
    }
    return new JinjaFormat(tokenizer, template.get(), images);
  }

  private static Optional<ChatFormat> family(Tokenizer tokenizer, ImageLayout images) {
    if (has(tokenizer, "<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>")) {
      return Optional.of(HeaderFormat.llama4(tokenizer, ToolCallStyle.PYTHON_LIST, images));
    }
    if (has(
        tokenizer, "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")) {
      return Optional.of(HeaderFormat.llama3(tokenizer, ToolCallStyle.JSON, images));
    }
    return has(tokenizer, "<s>", "</s>")
        ? Optional.of(ChatFormat.llama2(tokenizer))
        : Optional.empty();
  }

  private static boolean writesTurnsAs(
      ChatFormat family, Tokenizer tokenizer, String template, ImageLayout images) {
    try {
      String text = new JinjaFormat(tokenizer, template, images).prompt(PROBE).text();
      String turns = family.prompt(PROBE).text();
      int afterBegin = turns.indexOf('>') + 1;
      return text.endsWith(turns.substring(afterBegin));
    } catch (TokenizerException e) {
      // A template that cannot even do this would not work for any other conversation.
      return true;
    }
  }

  /** The layout of the family whose tokens the vocabulary has. */
  static ImageLayout images(Tokenizer tokenizer) {
    return has(tokenizer, "<|patch|>") ? ImageLayout.LLAMA_4 : ImageLayout.LLAMA_3;
  }

  private static boolean has(Tokenizer tokenizer, String... special) {
    return List.of(special).stream().allMatch(token -> tokenizer.special(token).isPresent());
  }
}
