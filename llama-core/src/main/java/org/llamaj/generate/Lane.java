package org.llamaj.generate;

import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import org.llamaj.events.QueueEvent;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.BestLogits;
import org.llamaj.transformer.Sequence;

/**
 * One sequence's way through the {@link Scheduler}: tokens are submitted, go through the model
 * together with those of other lanes, and leave logits behind. Used by one thread at a time; {@link
 * #cancel} may be called from any.
 */
public final class Lane implements AutoCloseable {
  /** How a submission ended. */
  public enum Outcome {
    /** The logits are there. */
    DONE,
    /** {@link Lane#cancel} was called. */
    CANCELLED,
    /** The deadline passed. */
    EXPIRED
  }

  /** Where tokens come from. */
  @FunctionalInterface
  public interface Source {
    /**
     * Adds a token to a batch.
     *
     * @param batch receives it
     * @param sequence where it belongs
     * @param index which of the tokens
     */
    void add(Batch batch, Sequence sequence, int index);
  }

  /** What the lane is doing. */
  enum State {
    /** Nothing is submitted. */
    IDLE,
    /** Tokens are submitted and not all through the model. */
    WAITING,
    /** All tokens went through the model, or failed to. */
    FINISHED
  }

  private static final int[] NONE = {};

  private final Scheduler scheduler;
  private final int vocabularySize;
  private float[][] logits = new float[1][];
  private BestLogits[] best = new BestLogits[1];
  private int bestWanted;
  private int[] next;
  private final Source nextTokens = (batch, sequence, index) -> batch.add(sequence, next[index]);

  final Sequence sequence;
  final int priority;
  final long deadline; // of System.nanoTime, if there is one
  final boolean hasDeadline;
  final Condition changed;
  volatile boolean cancelled;

  // All below: under the scheduler's lock.
  State state = State.IDLE;
  boolean closed;
  boolean awaited;

  /** The tokens that are submitted: those from {@link #from} to {@link #to} are still to do. */
  Source tokens;

  int[] plain;
  int from;
  int to;

  /** The logits of the tokens from here on are wanted. */
  int wantedFrom;

  /** Whether what is submitted is a prompt, which may be split and has to queue. */
  boolean prompt;

  /** Whether it is read only while nobody else has anything to do; it is in no queue then. */
  boolean idle;

  /** Tokens of the prompt that other sequences had left in the cache. */
  int reused;

  /** Where a prompt stands in the queue: the scheduler's clock at its arrival, plus its tokens. */
  long turn;

  /** How many tokens are in the present step. */
  int rows;

  /** How many steps in a row have gone without any of them. */
  int passedOver;

  /** Whether it is in the present step: until that ends, its sequence is in use. */
  boolean running;

  /** When the last submission was finished, of System.nanoTime; when the lane first submitted. */
  long finishedAt;

  long waitedNanos;
  long submittedAt;

  /** Whether a prompt waits to be taken up. */
  boolean queued;

  /** Measures how long it waits, if that is recorded. */
  Optional<QueueEvent> queueEvent = Optional.empty();

  /** Whether the lane is likely to be back before the next step. */
  boolean quick = true;

  boolean expected;

  /** Whether a decode step has been made. */
  boolean streaming;

  RuntimeException failure;

  Lane(
      Scheduler scheduler,
      Sequence sequence,
      int vocabularySize,
      int priority,
      boolean hasDeadline,
      long deadline,
      Condition changed) {
    this.scheduler = scheduler;
    this.sequence = sequence;
    this.vocabularySize = vocabularySize;
    this.priority = priority;
    this.hasDeadline = hasDeadline;
    this.deadline = deadline;
    this.changed = changed;
  }

  /**
   * How many tokens can be sampled.
   *
   * @return the length of a row of logits
   */
  public int vocabularySize() {
    return vocabularySize;
  }

  /**
   * Submits a prompt, of which the sequence has the first tokens already. Its last token's logits
   * will be {@link #logits logits(0)}.
   *
   * @param prompt puts its tokens into a batch
   * @param plain the ids of its tokens up to the first that is none (but a row of an encoder): what
   *     other sequences have computed for these is taken over
   * @param first index of the first token that is to go through the model
   * @param length how many tokens the prompt has
   * @throws org.llamaj.OverloadedException if too many prompts wait
   */
  public void submitPrompt(Source prompt, int[] plain, int first, int length) {
    this.plain = plain;
    scheduler.submit(this, prompt, first, length, length - 1, true);
  }

  /**
   * Submits a prompt whose states are wanted, not its logits: all of it goes through the model,
   * also what other sequences have left in the cache.
   *
   * @param prompt puts its tokens into a batch, and asks it for states
   * @param length how many tokens the prompt has
   * @throws org.llamaj.OverloadedException if too many prompts wait
   */
  public void submitStates(Source prompt, int length) {
    plain = NONE;
    scheduler.submit(this, prompt, 0, length, length, true);
  }

  /**
   * Reads the beginning of a prompt whenever nobody else has anything to do, a chunk in each step,
   * and returns when all of it has been read. No logits are wanted. While this waits or reads,
   * another thread may cancel or close the lane; when {@link #close} returns, the sequence is not
   * in use any more and has grown by the steps that were made.
   *
   * @param prompt puts its tokens into a batch
   * @param plain as in {@link #submitPrompt}
   * @param first index of the first token that is to go through the model
   * @param length how many tokens are to be in the sequence at the end
   * @return whether all of it was read
   * @throws org.llamaj.LlamaException if the sequence is full, or the model is closed
   */
  public Outcome readIdle(Source prompt, int[] plain, int first, int length) {
    this.plain = plain;
    return scheduler.readIdle(this, prompt, first, length);
  }

  /**
   * Submits the next tokens of a sequence whose prompt has been read: one, or with guessed ones
   * after it.
   *
   * @param ids holds the tokens; left as it is until {@link #await} returns
   * @param count how many
   * @param wantedFrom index of the first token whose logits are wanted
   */
  public void submit(int[] ids, int count, int wantedFrom) {
    next = ids;
    scheduler.submit(this, nextTokens, 0, count, wantedFrom, false);
  }

  /**
   * Waits until what was submitted has gone through the model; the calling thread may be the one
   * that computes, for all lanes.
   *
   * @return whether it has
   * @throws org.llamaj.LlamaException if the sequence is full, or the model is closed
   */
  public Outcome await() {
    return scheduler.await(this);
  }

  /**
   * The logits of a token that was submitted.
   *
   * @param index 0 for the first one whose logits were wanted
   * @return one value per token id; the lane's own array, overwritten by the next submission
   */
  public float[] logits(int index) {
    return logits[index];
  }

  /**
   * Asks for the greatest logits only, in all submissions that follow.
   *
   * @param count how many; 0 for all
   */
  public void wantBest(int count) {
    bestWanted = count;
  }

  /**
   * The greatest logits of a token that was submitted.
   *
   * @param index 0 for the first one whose logits were wanted
   * @return as many as {@link #wantBest} asked for; overwritten by the next submission
   */
  public BestLogits best(int index) {
    return best[index];
  }

  /** Asks a batch for what is wanted of its last token. */
  void want(Batch batch, int index) {
    if (bestWanted == 0) {
      batch.wantLogits(logitsTarget(index));
    } else {
      batch.wantBest(bestTarget(index));
    }
  }

  private BestLogits bestTarget(int index) {
    if (index >= best.length) {
      best = Arrays.copyOf(best, Math.max(index + 1, 2 * best.length));
    }
    if (best[index] == null || best[index].capacity() != bestWanted) {
      best[index] = new BestLogits(bestWanted);
    }
    return best[index];
  }

  private float[] logitsTarget(int index) {
    if (index >= logits.length) {
      logits = Arrays.copyOf(logits, Math.max(index + 1, 2 * logits.length));
    }
    if (logits[index] == null) {
      logits[index] = new float[vocabularySize];
    }
    return logits[index];
  }

  /**
   * How many tokens can be submitted at once.
   *
   * @return the capacity of a batch
   */
  public int capacity() {
    return scheduler.capacity();
  }

  /**
   * How many tokens of prompts needed no computation, since other sequences had left them in the
   * cache.
   *
   * @return tokens
   */
  public int reusedTokens() {
    return reused;
  }

  /**
   * How long prompts waited before their first token was taken up.
   *
   * @return nanoseconds
   */
  public long waitedNanos() {
    return waitedNanos;
  }

  /**
   * Whether {@link #cancel} was called.
   *
   * @return true from then on
   */
  public boolean isCancelled() {
    return cancelled;
  }

  /** Ends waiting; may be called from any thread, at any time. */
  public void cancel() {
    cancelled = true;
    scheduler.wake(this);
  }

  /** Tells the scheduler that no more tokens come. The sequence stays open. */
  @Override
  public void close() {
    scheduler.close(this);
  }
}
