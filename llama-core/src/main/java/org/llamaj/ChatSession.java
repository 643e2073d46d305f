package org.llamaj;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.llamaj.generate.Lane;
import org.llamaj.generate.TokenLoop;
import org.llamaj.grammar.Grammar;
import org.llamaj.schema.JsonForm;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.chat.ChatFormat;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.tokenizer.chat.Role;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Sequence;

/**
 * A conversation with a model. What has been said stays in the key-value cache, so that each turn
 * costs only its own tokens. Cheap to open; used by one thread at a time.
 *
 * <p>When an answer has ended and the model has had nothing else to do for a moment, what stands
 * before the user's next words is read ahead (see {@link #prepare} and {@link
 * ChatBuilder#readAhead}).
 *
 * <p>A turn that is cancelled keeps what was said so far; a turn that fails leaves the conversation
 * as it was.
 */
public final class ChatSession implements AutoCloseable {
  /** A program that goes on at once is not to wait for what was begun in between. */
  private static final Duration REST = Duration.ofMillis(100);

  /** So many tokens may be read without being asked for: one step. */
  private static final int UNASKED = 64;

  private static final ModelInput NOTHING = ModelInput.of(new int[0]);

  private final LlamaModel model;
  private final ChatFormat format;
  private final List<AdapterUse> adapters;
  private final GenerationOptions options;
  private final boolean readsAhead;
  private final Sequence sequence;

  private Conversation conversation;

  /** What is in the cache, but for what is being read ahead. */
  private ModelInput fed = NOTHING;

  /** How much of it was there at the end of the last turn. */
  private int tokens;

  /**
   * The whole conversation as the model wrote and read them, or null where it has to be written
   * anew from its messages.
   */
  private ModelInput transcript;

  /** The conversation after each turn. */
  private final List<Turn> turns = new ArrayList<>();

  private GenerationStream running;
  private ReadAhead ahead; // null if there is none
  private Future<?> begins; // cancels it before it has begun

  /**
   * Where a conversation can go back to.
   *
   * @param messages how many have been said
   * @param transcript as above
   */
  private record Turn(int messages, ModelInput transcript) {}

  ChatSession(
      LlamaModel model,
      ChatFormat format,
      Conversation conversation,
      List<AdapterUse> adapters,
      GenerationOptions options,
      boolean readsAhead) {
    this(
        model,
        format,
        conversation,
        adapters,
        options,
        readsAhead,
        model.transformer().newSequence(adapters));
  }

  private ChatSession(
      LlamaModel model,
      ChatFormat format,
      Conversation conversation,
      List<AdapterUse> adapters,
      GenerationOptions options,
      boolean readsAhead,
      Sequence sequence) {
    this.model = model;
    this.format = format;
    this.conversation = conversation;
    this.adapters = adapters;
    this.options = options;
    this.readsAhead = readsAhead;
    this.sequence = sequence;
  }

  /** Opens what {@link #save} has written. */
  static ChatSession restore(
      LlamaModel model,
      ChatFormat format,
      List<AdapterUse> adapters,
      GenerationOptions options,
      boolean readsAhead,
      Path file) {
    Sequence sequence = model.transformer().newSequence(adapters);
    try {
      SessionFile.Content content = model.sessionFile(file, adapters).read(sequence, model::image);
      ChatSession session =
          new ChatSession(
              model, format, content.conversation(), adapters, options, readsAhead, sequence);
      if (content.transcript() != null) {
        session.transcript = model.input(content.transcript(), content.pictures());
      }
      session.tokens = sequence.length();
      session.fed =
          session.transcript == null
              ? ModelInput.of(sequence.tokens())
              : session.transcript.first(sequence.length());
      return session;
    } catch (RuntimeException | Error e) {
      sequence.close();
      throw e;
    }
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
   * @throws LlamaException if the conversation no longer fits the context, or the model's chat
   *     format has no place for such messages
   * @throws IllegalStateException if the answer before is still being read
   */
  public GenerationStream stream(Message... messages) {
    return stream(options, messages);
  }

  /**
   * Says something, and waits for an answer that is held to a grammar.
   *
   * @param text what the user says
   * @param grammar what the answer has to be like
   * @return the answer
   */
  public Generation send(String text, Grammar grammar) {
    return stream(options.withGrammar(grammar), Message.user(text)).readAll(_ -> {});
  }

  /**
   * Says something, and waits for an answer as a Java value: JSON of the type's form is generated
   * and read.
   *
   * <p>The form only bounds what can be said; the text should say what is wanted.
   *
   * @param text what the user says
   * @param type a record, enum, or what {@link JsonForm} can express
   * @param <T> the type
   * @return the answer
   * @throws LlamaException if JSON cannot express the type, or the answer was cut off
   */
  public <T> T ask(String text, Class<T> type) {
    JsonForm<T> form = JsonForm.of(type);
    return form.read(send(text, form.grammar()).text());
  }

  private GenerationStream stream(GenerationOptions turn, Message... messages) {
    checkIdle();
    Conversation next = conversation.plus(messages);
    try {
      ModelInput prompt = input(conversation, transcript, next);
      if (overflows(prompt)) {
        next = shortened(next);
        prompt = model.input(format.prompt(next));
      }
      return stream(next, prompt, turn);
    } catch (TokenizerException e) {
      throw unwritable(e);
    }
  }

  private static LlamaException unwritable(TokenizerException e) {
    return new LlamaException(
        "the conversation cannot be written in the model's chat format: " + e.getMessage(), e);
  }

  /**
   * Reads ahead what the user is likely to say, while the model has nothing else to do: an answer
   * to just that begins after one token more. Where something else is said, all that agrees counts
   * and the rest is forgotten; the answer is the same in any case (but for kernels that round a few
   * rows in another way than many: there, almost equal tokens may part).
   *
   * <ul>
   *   <li>{@code prepare()} reads what comes before the user's next words. After {@link
   *       ChatBuilder#open} that is the system message and the history.
   *   <li>{@code prepare(Message.user(text))} while the user types, again and again; or as soon as
   *       a picture is there, which then has been looked at when the question comes.
   *   <li>Where the user chooses one of several texts, each can be prepared in a {@linkplain #fork
   *       fork} of its own.
   * </ul>
   *
   * <p>Returns at once. Other sessions' work goes first, and waits for one short step at most. All
   * that is said or done with the conversation ends the reading.
   *
   * @param messages what may be said next
   * @return done when all is read; cancelled where the conversation went on before it had begun;
   *     failed, with a LlamaException, where the same would fail if it were said
   * @throws IllegalStateException if an answer is still being read
   */
  public Future<?> prepare(Message... messages) {
    checkIdle();
    endReadAhead(NOTHING);
    Conversation said = conversation;
    ModelInput known = transcript;
    return readAhead(
        Duration.ZERO,
        Integer.MAX_VALUE,
        messages.length == 0 ? () -> opening(said, known) : () -> likely(said, known, messages));
  }

  /** Lets the model read what comes before the user's next words, if it is only a little. */
  private void rest() {
    if (readsAhead && !turns.isEmpty()) {
      Conversation said = conversation;
      ModelInput known = transcript;
      readAhead(REST, UNASKED, () -> opening(said, known));
    }
  }

  private Future<?> readAhead(Duration delay, int most, Supplier<ModelInput> likely) {
    Lane lane = model.scheduler().open(sequence, 0, OptionalLong.empty());
    Supplier<ModelInput> written =
        () -> {
          try {
            return likely.get();
          } catch (TokenizerException e) {
            throw unwritable(e);
          }
        };
    ahead = new ReadAhead(sequence, lane, fed, written, most);
    begins = model.idleTime().after(delay, ahead);
    return begins;
  }

  private void endReadAhead(ModelInput prompt) {
    if (ahead != null) {
      begins.cancel(false);
      fed = ahead.end(prompt);
      ahead = null;
    }
  }

  /** What comes before the user's words, whatever they are: all that two texts have in common. */
  private ModelInput opening(Conversation said, ModelInput known) {
    ModelInput one = input(said, known, said.plus(Message.user("A")));
    ModelInput other = input(said, known, said.plus(Message.user("1")));
    return one.first(one.commonPrefix(other));
  }

  /** All but the last token, whose logits will be wanted. */
  private ModelInput likely(Conversation said, ModelInput known, Message... messages) {
    ModelInput prompt = input(said, known, said.plus(messages));
    return overflows(prompt) ? NOTHING : prompt.first(prompt.length() - 1);
  }

  private GenerationStream stream(Conversation next, ModelInput prompt, GenerationOptions turn) {
    endReadAhead(prompt);
    int cached = sequence.truncate(Math.min(prompt.commonPrefix(fed), prompt.length() - 1));
    fed = fed.first(cached);
    running =
        model.stream(
            sequence, prompt, keep(next, prompt), cached, "chat", turn, () -> end(next, prompt));
    return running;
  }

  /**
   * A second conversation with the same past. The two share memory until they differ.
   *
   * @return to be closed by the caller
   * @throws IllegalStateException if an answer is still being read
   */
  public ChatSession fork() {
    checkIdle();
    endReadAhead(NOTHING);
    ChatSession fork =
        new ChatSession(
            model, format, conversation, adapters, options, readsAhead, sequence.fork());
    fork.fed = fed;
    fork.tokens = tokens;
    fork.transcript = transcript;
    fork.turns.addAll(turns);
    rest();
    fork.rest();
    return fork;
  }

  /**
   * Goes back: forgets the last messages.
   *
   * @param messages how many of {@link #conversation} stay
   * @throws IllegalStateException if an answer is still being read
   */
  public void rewind(int messages) {
    checkIdle();
    List<Message> all = conversation.messages();
    if (messages < 0 || messages > all.size()) {
      throw new IllegalArgumentException(
          "expected a number of messages from 0 to %d, found %d".formatted(all.size(), messages));
    }
    if (messages == all.size()) {
      return;
    }
    endReadAhead(NOTHING);
    conversation = conversation.withMessages(all.subList(0, messages));
    turns.removeIf(turn -> turn.messages() > messages);
    boolean known = !turns.isEmpty() && turns.getLast().messages() == messages;
    transcript = known ? turns.getLast().transcript() : null;
    rest();
  }

  /**
   * Says something else in place of a message of the past, and forgets what came after it.
   *
   * @param message index of the message in {@link #conversation}
   * @param text what the user says instead
   * @return the answer
   * @throws IllegalArgumentException if it is no message of the user
   * @throws IllegalStateException if an answer is still being read
   */
  public Generation edit(int message, String text) {
    checkIdle();
    List<Message> all = conversation.messages();
    if (message < 0 || message >= all.size() || all.get(message).role() != Role.USER) {
      throw new IllegalArgumentException(
          "expected the index of a message of the user, found %d".formatted(message));
    }
    rewind(message);
    return send(text);
  }

  /**
   * Writes the conversation to a file, with its keys and values, so that {@link
   * ChatBuilder#restore} can go on with it at once, in another JVM too. A file that is there is
   * replaced when the new one is complete. Pictures are saved as the image files they are. Models
   * with cross-attention (Llama 3.2 Vision) look at them again when the conversation goes on, and
   * read again what comes after the first one; so do, with the whole conversation, models with
   * attention chunks (Llama 4) when it has become longer than a chunk.
   *
   * @param file where to
   * @throws LlamaException if it cannot be written
   * @throws IllegalStateException if an answer is still being read
   */
  public void save(Path file) {
    checkIdle();
    endReadAhead(NOTHING);
    int[] ids = transcript == null ? null : transcript.ids();
    int certain = transcript == null ? fed.plain().length : transcript.commonPrefix(fed);
    model
        .sessionFile(file, adapters)
        .write(new SessionFile.Content(conversation, ids), sequence, certain);
    rest();
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
   * @return tokens in the cache, without those that were read ahead
   */
  public int tokens() {
    return running == null ? tokens : sequence.length();
  }

  /** Gives the memory of the conversation back. */
  @Override
  public void close() {
    if (running != null) {
      running.close();
    }
    endReadAhead(NOTHING);
    sequence.close();
  }

  /** Whether an answer of some length would not fit. */
  private boolean overflows(ModelInput prompt) {
    int context = sequence.contextLength();
    int answer = Math.min(options.maxTokens(), context / 4);
    return switch (options.overflow()) {
      case ContextOverflow.Stop _ -> false;
      default -> prompt.length() + answer > context;
    };
  }

  private Conversation shortened(Conversation next) {
    return switch (options.overflow()) {
      case ContextOverflow.Stop _ -> next;
      case ContextOverflow.Shorten(var shorten) -> shorten.apply(next);
      case ContextOverflow.Slide _ -> withoutOldest(next);
    };
  }

  /** System messages and the last turns that fit into half of the context, at least the last. */
  private Conversation withoutOldest(Conversation next) {
    List<Message> kept = new ArrayList<>(next.messages());
    int system = systemMessages(next);
    Conversation shorter = next;
    while (model.input(format.prompt(shorter)).length() > sequence.contextLength() / 2) {
      int end = system + 1;
      while (end < kept.size() && kept.get(end).role() != Role.USER) {
        end++;
      }
      if (end == kept.size()) {
        break; // the last turn
      }
      kept.subList(system, end).clear();
      shorter = next.withMessages(kept);
    }
    return shorter;
  }

  private static int systemMessages(Conversation conversation) {
    int count = 0;
    for (Message message : conversation.messages()) {
      if (message.role() != Role.SYSTEM) {
        break;
      }
      count++;
    }
    return count;
  }

  /** How many tokens of a prompt stay when an answer fills the context: the system messages. */
  private int keep(Conversation next, ModelInput prompt) {
    if (!(options.overflow() instanceof ContextOverflow.Slide)) {
      return TokenLoop.NO_SLIDING;
    }
    List<Message> system = next.messages().subList(0, systemMessages(next));
    return system.isEmpty()
        ? 0
        : model.input(format.prompt(next.withMessages(system))).commonPrefix(prompt);
  }

  private void checkIdle() {
    if (running != null) {
      throw new IllegalStateException(
          "expected the last answer to be read to its end or closed, found it running");
    }
  }

  /**
   * What the model is to read.
   *
   * @param said what was said before
   * @param known its transcript, or null
   * @param next with what is said next
   */
  private ModelInput input(Conversation said, ModelInput known, Conversation next) {
    if (known != null) {
      var continuation = format.continuation(next, said.messages().size());
      if (continuation.isPresent()) {
        return known.plus(model.input(continuation.get()));
      }
    }
    return model.input(format.prompt(next));
  }

  /** Takes over what was said when an answer has ended. */
  private void end(Conversation next, ModelInput prompt) {
    Generation answer = running.result();
    boolean slid = running.slid();
    running = null;
    ModelInput all = prompt.plus(ModelInput.of(toArray(answer.tokens())));
    fed =
        slid
            ? ModelInput.of(sequence.tokens())
            : all.first(Math.min(all.length(), sequence.length()));
    tokens = fed.length();
    boolean unfinished =
        answer.finishReason() == FinishReason.CANCELLED
            || answer.finishReason() == FinishReason.TIME_LIMIT;
    boolean failed = unfinished && answer.tokens().isEmpty();
    if (failed) {
      return;
    }
    if (!beginsWith(next.messages(), conversation.messages())) {
      turns.clear(); // messages were forgotten
    }
    conversation = next.plus(Message.assistant(answer.text()));
    transcript = slid ? null : transcript(all, answer);
    turns.add(new Turn(conversation.messages().size(), transcript));
    rest();
  }

  private static boolean beginsWith(List<Message> all, List<Message> first) {
    return all.size() >= first.size() && all.subList(0, first.size()).equals(first);
  }

  private ModelInput transcript(ModelInput all, Generation answer) {
    return switch (answer.finishReason()) {
      case END -> withoutEnd(all, answer.tokens().getLast());
      case MAX_TOKENS, CONTEXT_FULL -> all;
      case STOP_STRING, TIME_LIMIT, CANCELLED -> null;
    };
  }

  /** A text that a grammar ended has no end token. */
  private ModelInput withoutEnd(ModelInput all, int last) {
    return model.tokenizer().isEndOfGeneration(last) ? all.first(all.length() - 1) : all;
  }

  private static int[] toArray(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
