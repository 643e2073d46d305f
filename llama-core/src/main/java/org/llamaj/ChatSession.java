package org.llamaj;

import java.util.List;
import java.util.function.Consumer;
import org.llamaj.tokenizer.chat.ChatFormat;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.transformer.Sequence;

/**
 * A conversation with a model. What has been said stays in the key-value cache, so that each turn
 * costs only its own tokens. Cheap to open; used by one thread at a time.
 *
 * <p>A turn that is cancelled keeps what was said so far; a turn that fails leaves the conversation
 * as it was.
 */
public final class ChatSession implements AutoCloseable {
  private final LlamaModel model;
  private final ChatFormat format;
  private final GenerationOptions options;
  private final Sequence sequence;

  private Conversation conversation;

  /** What is in the cache. */
  private ModelInput fed = ModelInput.of(new int[0]);

  /**
   * The whole conversation as the model wrote and read them, or null where it has to be written
   * anew from its messages.
   */
  private ModelInput transcript;

  private GenerationStream running;

  ChatSession(
      LlamaModel model, ChatFormat format, Conversation conversation, GenerationOptions options) {
    this.model = model;
    this.format = format;
    this.conversation = conversation;
    this.options = options;
    sequence = model.transformer().newSequence();
  }

  /**
   * Says something and waits for the whole answer.
   *
   * @param text what the user says
   * @return the answer
   */
  public Generation send(String text) {
    return send(text, _ -> {});
  }

  /**
   * Says something and hands over the answer as it comes.
   *
   * @param text what the user says
   * @param onText receives each piece, on the calling thread
   * @return the answer
   */
  public Generation send(String text, Consumer<String> onText) {
    return stream(Message.user(text)).readAll(onText);
  }

  /**
   * Says something, with pictures for example, and hands over the answer as it comes.
   *
   * @param message what the user says: {@code Message.user(model.image(picture), new
   *     Content.Text("What is this?"))}
   * @param onText receives each piece, on the calling thread
   * @return the answer
   */
  public Generation send(Message message, Consumer<String> onText) {
    return stream(message).readAll(onText);
  }

  /**
   * Says something and begins to read the answer.
   *
   * @param messages what is said next: of the user, or results of tools
   * @return the answer piece by piece, to be read to the end or closed before the next turn
   * @throws LlamaException if the conversation no longer fits the context
   * @throws IllegalStateException if the answer before is still being read
   */
  public GenerationStream stream(Message... messages) {
    if (running != null) {
      throw new IllegalStateException(
          "expected the last answer to be read to its end or closed, found it running");
    }
    Conversation next = conversation.plus(messages);
    ModelInput prompt = input(next);
    int cached = sequence.truncate(Math.min(prompt.commonPrefix(fed), prompt.length() - 1));
    fed = fed.first(cached);
    running = model.stream(sequence, prompt, cached, options, () -> end(next, prompt));
    return running;
  }

  /**
   * What has been said.
   *
   * @return all messages so far
   */
  public Conversation conversation() {
    return conversation;
  }

  /**
   * How much of the context is in use.
   *
   * @return tokens in the cache
   */
  public int tokens() {
    return sequence.length();
  }

  /** Gives the memory of the conversation back. */
  @Override
  public void close() {
    if (running != null) {
      running.close();
    }
    sequence.close();
  }

  private ModelInput input(Conversation next) {
    if (transcript != null) {
      var continuation = format.continuation(next, conversation.messages().size());
      if (continuation.isPresent()) {
        return transcript.plus(model.input(continuation.get()));
      }
    }
    return model.input(format.prompt(next));
  }

  /** Takes over what was said when an answer has ended. */
  private void end(Conversation next, ModelInput prompt) {
    Generation answer = running.result();
    running = null;
    ModelInput all = prompt.plus(ModelInput.of(toArray(answer.tokens())));
    fed = all.first(Math.min(all.length(), sequence.length()));
    boolean unfinished =
        answer.finishReason() == FinishReason.CANCELLED
            || answer.finishReason() == FinishReason.TIME_LIMIT;
    boolean failed = unfinished && answer.tokens().isEmpty();
    if (failed) {
      return;
    }
    conversation = next.plus(Message.assistant(answer.text()));
    transcript =
        switch (answer.finishReason()) {
          case END -> all.first(all.length() - 1);
          case MAX_TOKENS, CONTEXT_FULL -> all;
          case STOP_STRING, TIME_LIMIT, CANCELLED -> null;
        };
  }

  private static int[] toArray(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
