package org.llamaj;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.llamaj.events.DecodeEvent;
import org.llamaj.events.PrefillEvent;
import org.llamaj.events.Recording;
import org.llamaj.generate.Drafter;
import org.llamaj.generate.Lane;
import org.llamaj.generate.StopStrings;
import org.llamaj.generate.TokenChooser;
import org.llamaj.generate.TokenLoop;
import org.llamaj.tokenizer.SpecialText;
import org.llamaj.tokenizer.StreamingDecoder;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.transformer.Sequence;

/**
 * A generation under way: an iterator over pieces of text as they come. Used by one thread; {@link
 * #cancel} may be called from any. Close it, or read it to its end: until then it holds its part of
 * the cache, and nothing takes it back but the end of the model.
 */
public final class GenerationStream implements Iterator<String>, AutoCloseable {
  private final Tokenizer tokenizer;
  private final Sequence sequence;
  private final GenerationOptions options;
  private final TokenChooser chooser;
  private final StreamingDecoder decoder;
  private final StopStrings stops;
  private final Lane lane;
  private final TokenLoop loop;
  private final ModelInput prompt;
  private final int cached;
  private final Runnable onEnd;

  private final StringBuilder text = new StringBuilder();
  private final List<Integer> tokens = new ArrayList<>();
  private volatile boolean cancelled;
  private FinishReason finishReason;
  private String next = "";
  private final long requestedAt = System.nanoTime();
  private long[] tokenTimes = new long[32];
  private Optional<PrefillEvent> prefillEvent = Optional.empty();
  private Optional<DecodeEvent> decodeEvent = Optional.empty();
  private Throwable failure;
  private boolean promptDone;
  private long promptNanos;
  private long generationNanos;

  /**
   * @param lane the sequence's way through the model; closed with the stream
   * @param prompt the whole prompt
   * @param chooser chooses tokens as the options say
   * @param drafter guesses tokens; closed with the stream
   * @param keep as in {@link TokenLoop}
   * @param cached how many of them the sequence holds already; fewer than there are
   * @param onEnd run once, when the generation has ended
   */
  GenerationStream(
      Tokenizer tokenizer,
      Sequence sequence,
      Lane lane,
      ModelInput prompt,
      TokenChooser chooser,
      Drafter drafter,
      int keep,
      int cached,
      GenerationOptions options,
      Runnable onEnd) {
    this.tokenizer = tokenizer;
    this.sequence = sequence;
    this.lane = lane;
    this.prompt = prompt;
    this.cached = cached;
    this.options = options;
    this.onEnd = onEnd;
    this.chooser = chooser;
    int guesses =
        switch (options.speculation()) {
          case Speculation.None _ -> 0;
          case Speculation.PromptLookup(int length) -> length;
          case Speculation.Draft(_, int length) -> length;
        };
    lane.wantBest(chooser.best());
    loop = new TokenLoop(sequence, lane, this::choose, drafter, guesses, keep);
    decoder = tokenizer.streamingDecoder(SpecialText.SKIP);
    stops = new StopStrings(options.stopStrings());
  }

  /**
   * Whether more text comes; computes it.
   *
   * @return false when the generation has ended
   */
  @Override
  public boolean hasNext() {
    while (next.isEmpty() && finishReason == null) {
      step();
    }
    return !next.isEmpty();
  }

  /**
   * The next piece of text.
   *
   * @return at least one character
   */
  @Override
  public String next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the generation has ended");
    }
    String piece = next;
    next = "";
    return piece;
  }

  /**
   * The rest of the text as a stream, one piece after another as they come. Closing it ends the
   * generation.
   *
   * @return pieces of at least one character, in order
   */
  public Stream<String> texts() {
    Spliterator<String> pieces =
        Spliterators.spliteratorUnknownSize(this, Spliterator.ORDERED | Spliterator.NONNULL);
    return StreamSupport.stream(pieces, false).onClose(this::close);
  }

  /** Ends the generation before the next token. May be called from any thread, at any time. */
  public void cancel() {
    cancelled = true;
    loop.cancel();
  }

  /**
   * Reads the stream to its end.
   *
   * @param onText receives each piece of text
   * @return the whole generation
   */
  public Generation readAll(Consumer<String> onText) {
    try (this) {
      while (hasNext()) {
        onText.accept(next());
      }
      return result();
    }
  }

  /**
   * What has been generated so far; final once {@link #hasNext} is false.
   *
   * @return text, tokens and timings; the finish reason is {@link FinishReason#CANCELLED} until the
   *     end is reached
   */
  public Generation result() {
    FinishReason reason = finishReason == null ? FinishReason.CANCELLED : finishReason;
    Timings timings =
        new Timings(
            promptDone ? prompt.length() - cached - lane.reusedTokens() : 0,
            Duration.ofNanos(promptNanos),
            tokens.size(),
            Duration.ofNanos(generationNanos),
            Duration.ofNanos(lane.waitedNanos()),
            Arrays.stream(tokenTimes, 0, tokens.size()).mapToObj(Duration::ofNanos).toList(),
            loop.guessed(),
            loop.right());
    return new Generation(
        text.toString(), tokens, reason, prompt.length(), timings, chooser.probabilities());
  }

  /**
   * The tokens generated so far, without the cost of a whole {@link #result}.
   *
   * @return their ids, an end token included: a view that grows with the text
   */
  public List<Integer> tokens() {
    return Collections.unmodifiableList(tokens);
  }

  /** Ends the generation if it has not ended, and gives its memory back. */
  @Override
  public void close() {
    if (finishReason == null) {
      finish(FinishReason.CANCELLED);
    }
  }

  private void step() {
    if (cancelled) {
      finish(FinishReason.CANCELLED);
      return;
    }
    if (tokens.size() == options.maxTokens()) {
      finish(FinishReason.MAX_TOKENS);
      return;
    }
    if (promptDone && loop.isFull()) {
      finish(FinishReason.CONTEXT_FULL);
      return;
    }
    try {
      generateToken();
    } catch (CancellationException e) {
      boolean byCaller = cancelled;
      failure = byCaller ? null : e;
      finish(FinishReason.CANCELLED);
      if (!byCaller) {
        throw new LlamaException("the model was closed during a generation", e);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      finish(FinishReason.CANCELLED);
      throw e;
    }
  }

  private void generateToken() {
    long start = System.nanoTime();
    switch (promptDone ? loop.advance(options.maxTokens() - tokens.size()) : readPrompt()) {
      case DONE -> {}
      case CANCELLED -> {
        finish(FinishReason.CANCELLED);
        return;
      }
      case EXPIRED -> {
        finish(FinishReason.TIME_LIMIT);
        return;
      }
    }
    if (!promptDone) {
      promptDone = true;
      promptNanos = System.nanoTime() - start;
      prefillEvent.ifPresent(this::commit);
      decodeEvent = Recording.begin(DecodeEvent::new);
      start = System.nanoTime();
    }
    int token = loop.choose();
    if (tokens.size() == tokenTimes.length) {
      tokenTimes = Arrays.copyOf(tokenTimes, 2 * tokenTimes.length);
    }
    tokenTimes[tokens.size()] = System.nanoTime() - requestedAt;
    tokens.add(token);
    generationNanos += System.nanoTime() - start;

    if (tokenizer.isEndOfGeneration(token)) {
      finish(FinishReason.END);
      return;
    }
    emit(stops.accept(decoder.accept(token)));
    if (stops.found()) {
      finish(FinishReason.STOP_STRING);
    } else if (chooser.isDone()) {
      finish(FinishReason.END);
    }
  }

  private Lane.Outcome readPrompt() {
    prefillEvent = Recording.begin(PrefillEvent::new);
    prompt.encode(cached, () -> cancelled);
    return loop.read(prompt::add, prompt.ids(), prompt.plain(), cached);
  }

  private int choose(Lane from, int row) {
    int token =
        chooser.best() > 0 ? chooser.sample(from.best(row)) : chooser.sample(from.logits(row));
    chooser.accept(token);
    return token;
  }

  /** What ended the generation, if it failed. */
  Optional<Throwable> failure() {
    return Optional.ofNullable(failure);
  }

  /** How long ago it was asked for. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - requestedAt);
  }

  /** Whether tokens were forgotten to make room. */
  boolean slid() {
    return loop.slid();
  }

  private void emit(String piece) {
    next += piece;
    text.append(piece);
  }

  private void finish(FinishReason reason) {
    finishReason = reason;
    if (reason != FinishReason.STOP_STRING) {
      emit(stops.accept(decoder.finish()));
      emit(stops.finish());
    }
    loop.close();
    if (promptDone) {
      decodeEvent.ifPresent(this::commit);
    }
    onEnd.run();
  }

  private void commit(PrefillEvent event) {
    event.cached = cached + lane.reusedTokens();
    event.tokens = prompt.length() - event.cached;
    event.commit();
  }

  private void commit(DecodeEvent event) {
    event.tokens = tokens.size();
    event.guessed = loop.guessed();
    event.right = loop.right();
    event.finishReason = finishReason.name();
    event.commit();
  }
}
