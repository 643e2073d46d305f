package org.llamaj;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
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

  /** The ids in the cache. */
  private int[] fed = {};

  /**
   * The ids of the whole conversation as the model wrote and read them, or null where it has to be
   * written anew from its messages.
   */
  private int[] transcript;

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
    int[] prompt = ids(next);
    int cached = sequence.truncate(Math.min(commonPrefix(prompt, fed), prompt.length - 1));
    fed = Arrays.copyOf(fed, cached);
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

  private int[] ids(Conversation next) {
    if (transcript != null) {
      var continuation = format.continuation(next, conversation.messages().size());
      if (continuation.isPresent()) {
        return concat(transcript, continuation.get().ids());
      }
    }
    return format.encode(next);
  }

  /** Takes over what was said when an answer has ended. */
  private void end(Conversation next, int[] prompt) {
    Generation answer = running.result();
    running = null;
    int[] all = concat(prompt, toArray(answer.tokens()));
    fed = Arrays.copyOf(all, Math.min(all.length, sequence.length()));
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
          case END -> Arrays.copyOf(all, all.length - 1);
          case MAX_TOKENS, CONTEXT_FULL -> all;
          case STOP_STRING, TIME_LIMIT, CANCELLED -> null;
        };
  }

  private static int commonPrefix(int[] a, int[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }

  private static int[] concat(int[] a, int[] b) {
    return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
  }

  private static int[] toArray(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
