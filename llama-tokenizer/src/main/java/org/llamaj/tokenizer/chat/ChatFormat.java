package org.llamaj.tokenizer.chat;

import java.util.List;
import java.util.Optional;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.TokenizerMetadata;

/** The way a model expects conversations. Immutable and safe for use by many threads. */
public interface ChatFormat {
  /**
   * The format of a model: that of its family where the file has no chat template or one that
   * writes turns as the family does, otherwise the one that the template describes.
   *
   * @param tokenizer the model's tokenizer
   * @param metadata the model file's key-value metadata
   * @return the format
   * @throws TokenizerException if the model has no format that is known
   */
  static ChatFormat of(Tokenizer tokenizer, TokenizerMetadata metadata) {
    return ChatFormats.detect(
        tokenizer, metadata.string("tokenizer.chat_template"), Optional.empty());
  }

  /**
   * The format of a model whose pictures are laid out in its own way.
   *
   * @param tokenizer the model's tokenizer
   * @param metadata the model file's key-value metadata
   * @param images how pictures stand among the tokens
   * @return the format
   * @throws TokenizerException if the model has no format that is known
   */
  static ChatFormat of(Tokenizer tokenizer, TokenizerMetadata metadata, ImageLayout images) {
    return ChatFormats.detect(
        tokenizer, metadata.string("tokenizer.chat_template"), Optional.of(images));
  }

  /**
   * The format of Llama 2 chat models: {@code [INST] ... [/INST]}.
   *
   * @param tokenizer the model's tokenizer
   * @return the format
   * @throws TokenizerException if the vocabulary lacks the tokens of the format
   */
  static ChatFormat llama2(Tokenizer tokenizer) {
    return new Llama2Format(tokenizer);
  }

  /**
   * The format of Llama 3, 3.1, 3.2 and 3.3, with {@code <|image|>} for pictures.
   *
   * @param tokenizer the model's tokenizer
   * @param style how tool calls are written; the models were trained with {@link
   *     ToolCallStyle#JSON} first of all
   * @return the format
   * @throws TokenizerException if the vocabulary lacks the tokens of the format
   */
  static ChatFormat llama3(Tokenizer tokenizer, ToolCallStyle style) {
    return HeaderFormat.llama3(tokenizer, style, ImageLayout.LLAMA_3);
  }

  /**
   * The format of Llama 4, with tiles for pictures.
   *
   * @param tokenizer the model's tokenizer
   * @param style how tool calls are written; the models were trained with {@link
   *     ToolCallStyle#PYTHON_LIST} first of all
   * @return the format
   * @throws TokenizerException if the vocabulary lacks the tokens of the format
   */
  static ChatFormat llama4(Tokenizer tokenizer, ToolCallStyle style) {
    return HeaderFormat.llama4(tokenizer, style, ImageLayout.LLAMA_4);
  }

  /**
   * The format that a chat template describes, for fine-tunes with formats of their own. What looks
   * like a control token in messages stays text with templates too.
   *
   * @param tokenizer the model's tokenizer
   * @param template a Jinja template as transformers uses them
   * @return the format
   * @throws TokenizerException if the template is not well-formed
   */
  static ChatFormat template(Tokenizer tokenizer, String template) {
    return new JinjaFormat(tokenizer, template, ChatFormats.images(tokenizer));
  }

  /**
   * The format's name, for messages and logs.
   *
   * @return for example {@code Llama 3}
   */
  String name();

  /**
   * Writes a conversation so that the model answers it: from the begin-of-sequence token to the
   * opened message of the assistant.
   *
   * @param conversation what has been said
   * @return what to feed to the model
   * @throws TokenizerException if the format cannot express the conversation
   */
  Prompt prompt(Conversation conversation);

  /**
   * The ids of {@link #prompt(Conversation)}.
   *
   * @param conversation what has been said
   * @return the ids to feed to the model
   * @throws TokenizerException if the format cannot express the conversation
   */
  default int[] encode(Conversation conversation) {
    return prompt(conversation).ids();
  }

  /**
   * What to feed to a model that goes on with a conversation it has in its cache: the end of its
   * own last message, the new messages, and the opened message of the assistant.
   *
   * <p>The model has been fed {@code prompt} of the messages before its own and the ids it then
   * generated, without the one that ended its message.
   *
   * @param conversation all that has been said
   * @param known how many of its messages the model knows; the last of them is its own
   * @return what to feed next, or empty if the format rewrites what has been said before, so that
   *     the whole conversation has to be fed again
   * @throws TokenizerException if the format cannot express the conversation
   * @throws IllegalArgumentException if message {@code known - 1} is not the assistant's
   */
  Optional<Prompt> continuation(Conversation conversation, int known);

  /**
   * The messages that {@code known} leaves of a conversation, after a check of the contract.
   *
   * @param conversation all that has been said
   * @param known how many of its messages the model knows
   * @return the other messages
   */
  static List<Message> messagesAfter(Conversation conversation, int known) {
    List<Message> messages = conversation.messages();
    if (known < 1 || known > messages.size() || messages.get(known - 1).role() != Role.ASSISTANT) {
      throw new IllegalArgumentException(
          "The last of the %d known messages of %d must be the assistant's"
              .formatted(known, messages.size()));
    }
    return messages.subList(known, messages.size());
  }
}
