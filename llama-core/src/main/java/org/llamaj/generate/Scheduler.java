package org.llamaj.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.llamaj.LlamaException;
import org.llamaj.OverloadedException;
import org.llamaj.events.QueueEvent;
import org.llamaj.events.Recording;
import org.llamaj.events.StepEvent;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/**
 * Lets any number of threads use a model at once: what they submit goes through it as one batch.
 *
 * <p>It has no thread of its own. Of those that wait, one leads: it gathers what all have
 * submitted, makes one forward pass for all, wakes them and lets another lead. A thread alone
 * therefore computes at once, without any hand-over; each chooses its token itself, so that a slow
 * sampler or reader delays nobody else; and a stream that is not read makes no tokens. (Hendler et
 * al. 2010 call this flat combining.)
 *
 * <ul>
 *   <li><b>Gathering.</b> After a step the streams choose their tokens and are soon back. A leader
 *       waits for those that usually are, up to a quarter of the time a step takes; a stream that
 *       is late joins the next one, and is not waited for until it is quick again.
 *   <li><b>Prompts.</b> While others stream, at most {@code promptChunk} tokens of prompts join a
 *       step, so that the time between two tokens stays bounded (as in Sarathi, Agrawal et al.
 *       2023). Without streams, a step takes as many as a batch holds.
 *   <li><b>Fairness.</b> A higher priority goes first. Among equals each prompt's turn is the clock
 *       at its arrival plus the tokens it has had (the clock counts the tokens of all prompts):
 *       early ones go first, and a long one cannot hold up short ones for long. Whoever has been
 *       passed over eight times comes before higher priorities, so that nobody waits for ever.
 *   <li><b>Idle time.</b> What may be wanted later is read while nobody waits and no stream is
 *       open, a chunk in each step: who comes meanwhile waits for one step at most.
 *   <li><b>Shared beginnings.</b> What other sequences have left in the cache is taken over, block
 *       by block; a prompt whose next block another one is just reading waits for it.
 * </ul>
 *
 * <p>Thread-safe.
 */
public final class Scheduler {
  /** Bounds of the time for which a leader waits for others. */
  private static final long MIN_GATHER_NANOS = 300_000;

  private static final long MAX_GATHER_NANOS = 10_000_000;

  /** So many steps in a row can go without a lane; then it comes before higher priorities. */
  private static final int MOST_PASSED_OVER = 8;

  private static final Comparator<Lane> ORDER =
      (a, b) -> {
        if (a.prompt != b.prompt) {
          return a.prompt ? 1 : -1;
        }
        boolean aStarves = a.passedOver >= MOST_PASSED_OVER;
        boolean bStarves = b.passedOver >= MOST_PASSED_OVER;
        if (aStarves != bStarves) {
          return aStarves ? -1 : 1;
        }
        return a.priority != b.priority
            ? Integer.compare(b.priority, a.priority)
            : Long.compare(a.turn, b.turn);
      };

  private final Transformer transformer;
  private final int promptChunk;
  private final int queueLimit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition gathered = lock.newCondition();
  private final Condition quiet = lock.newCondition();
  private final List<Lane> waiting = new ArrayList<>();

  /** The lanes of the present step. Changed under the lock by the leader, and read by it. */
  private final List<Lane> step = new ArrayList<>();

  private final Batch batch;

  private boolean closed;
  private boolean led;
  private int expected;
  private int streaming;
  private int prompts;
  private long clock;
  private long stepNanos;
  private volatile long steps;

  /**
   * @param transformer the model
   * @param promptChunk the most tokens of prompts in one step while other sequences stream
   * @param queueLimit the most prompts that wait
   */
  public Scheduler(Transformer transformer, int promptChunk, int queueLimit) {
    this.transformer = transformer;
    this.promptChunk = promptChunk;
    this.queueLimit = queueLimit;
    batch = transformer.newBatch().cancelWhen(this::allCancelled);
  }

  /**
   * Opens a lane.
   *
   * @param sequence to which its tokens belong
   * @param priority greater goes first
   * @param deadline when waiting should end, of {@link System#nanoTime}; empty for never
   * @return to be closed by the caller
   */
  public Lane open(Sequence sequence, int priority, OptionalLong deadline) {
    return new Lane(
        this,
        sequence,
        transformer.configuration().vocabularySize(),
        priority,
        deadline.isPresent(),
        deadline.orElse(0),
        lock.newCondition());
  }

  /**
   * How many forward passes have been made.
   *
   * @return passes, each of any number of sequences
   */
  public long steps() {
    return steps;
  }

  /**
   * How many tokens a forward pass takes.
   *
   * @return the most tokens that may be submitted at once
   */
  public int capacity() {
    return batch.capacity();
  }

  void submit(Lane lane, Lane.Source tokens, int from, int to, int wantedFrom, boolean prompt) {
    lock.lock();
    try {
      if (lane.closed || lane.state == Lane.State.WAITING) {
        throw new IllegalStateException("expected an open lane that is not waiting");
      }
      long now = System.nanoTime();
      if (prompt) {
        if (prompts >= queueLimit) {
          throw new OverloadedException(queueLimit);
        }
        prompts++;
        lane.submittedAt = now;
        lane.queued = true;
        lane.queueEvent = Recording.begin(QueueEvent::new);
        lane.turn = clock;
      } else {
        lane.quick = now - lane.finishedAt < gatherNanos();
        lane.turn = steps;
      }
      lane.tokens = tokens;
      lane.from = from;
      lane.to = to;
      lane.wantedFrom = wantedFrom;
      lane.prompt = prompt;
      lane.failure = null;
      lane.state = Lane.State.WAITING;
      waiting.add(lane);
      arrived(lane);
    } finally {
      lock.unlock();
    }
  }

  /** Makes steps of a lane's own while nobody else has anything to do. */
  Lane.Outcome readIdle(Lane lane, Lane.Source tokens, int from, int to) {
    lock.lock();
    try {
      lane.idle = true;
      lane.prompt = true;
      lane.quick = false;
      lane.tokens = tokens;
      lane.from = from;
      lane.to = to;
      lane.wantedFrom = to;
      while (lane.failure == null && lane.from < to) {
        if (closed || lane.closed || lane.cancelled) {
          return Lane.Outcome.CANCELLED;
        }
        if (isBusy()) {
          quiet.awaitUninterruptibly();
        } else {
          idleStep(lane);
        }
      }
      return outcome(lane);
    } finally {
      lock.unlock();
    }
  }

  private boolean isBusy() {
    return led || !waiting.isEmpty() || streaming > 0 || expected > 0;
  }

  private void idleStep(Lane lane) {
    lane.state = Lane.State.WAITING;
    waiting.add(lane);
    led = true;
    try {
      lead(lane);
    } finally {
      led = false;
      waiting.remove(lane);
      lane.state = Lane.State.IDLE;
      letAnotherLead();
    }
  }

  /** Ends what is only done in idle time. */
  public void close() {
    lock.lock();
    try {
      closed = true;
      quiet.signalAll();
    } finally {
      lock.unlock();
    }
  }

  Lane.Outcome await(Lane lane) {
    boolean interrupted = false;
    lock.lock();
    try {
      lane.awaited = true;
      while (lane.state == Lane.State.WAITING) {
        Lane.Outcome ended = ended(lane);
        if (ended != Lane.Outcome.DONE && !lane.running) {
          withdraw(lane);
          return ended;
        }
        if (!led) {
          led = true;
          try {
            lead(lane);
          } finally {
            led = false;
          }
        } else {
          interrupted |= pause(lane);
        }
      }
      lane.state = Lane.State.IDLE;
      return outcome(lane);
    } finally {
      lane.awaited = false;
      letAnotherLead();
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  void wake(Lane lane) {
    lock.lock();
    try {
      lane.changed.signal();
      gathered.signal();
      quiet.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void close(Lane lane) {
    lock.lock();
    try {
      if (lane.closed) {
        return;
      }
      lane.closed = true;
      while (lane.running) {
        lane.changed.awaitUninterruptibly();
      }
      if (lane.state == Lane.State.WAITING) {
        withdraw(lane);
      }
      arrived(lane);
      if (lane.streaming) {
        streaming--;
      }
      quiet.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** One step, or none if the own lane has ended. Holds the lock, except while it computes. */
  private void lead(Lane own) {
    gather(own);
    if (ended(own) != Lane.Outcome.DONE) {
      return;
    }
    form();
    lock.unlock();
    RuntimeException failure = null;
    long start = System.nanoTime();
    Optional<StepEvent> event = Recording.begin(StepEvent::new);
    try {
      fill();
      transformer.forward(batch);
      if (event.isPresent()) {
        event.get().sequences = step.size();
        event.get().rows = batch.size();
        event.get().commit();
      }
    } catch (RuntimeException e) {
      failure = e;
    } catch (Error e) {
      failure = new LlamaException("a forward pass failed: " + e, e);
      throw e;
    } finally {
      lock.lock();
      stepNanos = System.nanoTime() - start;
      complete(failure);
    }
  }

  /** Waits for the streams that are likely to be back soon. */
  private void gather(Lane own) {
    long nanos = gatherNanos();
    boolean interrupted = false;
    while (expected > 0 && nanos > 0 && !own.cancelled) {
      try {
        nanos = gathered.awaitNanos(nanos);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (expected > 0) {
      late();
    }
  }

  /** Nobody is waited for any more; those who are late will notice when they are back. */
  private void late() {
    for (int i = 0; i < step.size(); i++) {
      step.get(i).expected = false;
    }
    expected = 0;
  }

  /** Chooses what goes into the next step. */
  private void form() {
    late();
    step.clear();
    waiting.sort(ORDER);
    int room = batch.capacity();
    int promptRoom = room;
    for (int i = 0; i < waiting.size(); i++) {
      Lane lane = waiting.get(i);
      lane.rows = 0;
      if (lane.cancelled) {
        continue;
      }
      if (room == 0) {
        lane.passedOver++;
        continue;
      }
      if (!lane.prompt) {
        lane.rows = Math.min(room, lane.to - lane.from);
        promptRoom = Math.min(promptRoom, promptChunk);
      } else {
        adopt(lane);
        if (lane.idle || streaming > (lane.streaming ? 1 : 0)) {
          promptRoom = Math.min(promptRoom, promptChunk);
        }
        boolean wait = lane.failure != null || othersReadTheSame(lane);
        lane.rows = wait ? 0 : Math.min(Math.min(room, promptRoom), lane.to - lane.from);
        promptRoom -= lane.rows;
      }
      if (lane.rows > 0 && lane.queued) {
        takenUp(lane);
      }
      lane.passedOver = lane.rows > 0 ? 0 : lane.passedOver + 1;
      if (lane.rows > 0 || lane.failure != null) {
        room -= lane.rows;
        lane.running = true;
        step.add(lane);
      }
    }
  }

  /** A prompt's waiting is over. */
  private static void takenUp(Lane lane) {
    lane.waitedNanos += System.nanoTime() - lane.submittedAt;
    lane.queued = false;
    lane.queueEvent.ifPresent(
        event -> {
          event.priority = lane.priority;
          event.commit();
        });
    lane.queueEvent = Optional.empty();
  }

  /** Takes over what other sequences have computed. */
  private static void adopt(Lane lane) {
    try {
      int length = lane.sequence.adopt(lane.plain, Math.min(lane.plain.length, lane.to - 1));
      lane.reused += length - lane.from;
      lane.from = length;
    } catch (RuntimeException e) {
      lane.failure = e;
    }
  }

  /** Whether a prompt of the step has the lane's next block, so that it can soon be adopted. */
  private boolean othersReadTheSame(Lane lane) {
    int block = AttentionShape.PAGE_TOKENS;
    int end = (lane.from / block + 1) * block;
    if (end > Math.min(lane.plain.length, lane.to - 1)) {
      return false;
    }
    for (int i = 0; i < step.size(); i++) {
      Lane other = step.get(i);
      if (other.prompt
          && other.from < end
          && other.plain.length >= end
          && other.sequence.sharesWith(lane.sequence)
          && Arrays.equals(other.plain, 0, end, lane.plain, 0, end)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Puts the tokens of the step into the batch. A lane without room in the cache, or with a token
   * that does not exist, fails alone.
   */
  private void fill() {
    batch.clear();
    for (int i = 0; i < step.size(); i++) {
      Lane lane = step.get(i);
      int before = batch.size();
      if (lane.rows == 0) {
        continue; // failed
      }
      try {
        lane.sequence.requireRoom(lane.to - lane.from);
        transformer.reserve(lane.sequence, lane.rows);
        for (int t = lane.from; t < lane.from + lane.rows; t++) {
          lane.tokens.add(batch, lane.sequence, t);
          if (t >= lane.wantedFrom) {
            lane.want(batch, t - lane.wantedFrom);
          }
        }
      } catch (RuntimeException e) {
        batch.truncate(before);
        lane.failure = e;
      }
    }
  }

  private void complete(RuntimeException failure) {
    steps++;
    long now = System.nanoTime();
    for (int i = 0; i < step.size(); i++) {
      Lane lane = step.get(i);
      lane.running = false;
      if (failure != null && lane.failure == null) {
        lane.failure = failure;
      }
      if (lane.failure == null) {
        advance(lane);
      }
      if (lane.failure != null || lane.from == lane.to) {
        finish(lane, now);
      } else if (lane.cancelled || lane.closed) {
        lane.changed.signal();
      }
    }
  }

  private void advance(Lane lane) {
    lane.from += lane.rows;
    if (lane.prompt) {
      clock += lane.rows;
      lane.turn += lane.rows;
    } else if (!lane.streaming) {
      lane.streaming = true;
      streaming++;
    }
  }

  private void finish(Lane lane, long now) {
    leave(lane);
    lane.state = Lane.State.FINISHED;
    lane.finishedAt = now;
    if (lane.quick && lane.failure == null && !lane.closed) {
      lane.expected = true;
      expected++;
    }
    lane.changed.signal();
  }

  /** Takes a lane back that has not gone through the model. */
  private void withdraw(Lane lane) {
    leave(lane);
    lane.state = Lane.State.IDLE;
  }

  private void leave(Lane lane) {
    waiting.remove(lane);
    if (lane.prompt && !lane.idle) {
      prompts--;
    }
    lane.tokens = null;
  }

  /** A lane is back, or will not be any more. */
  private void arrived(Lane lane) {
    if (lane.expected) {
      lane.expected = false;
      expected--;
    }
    if (expected == 0) {
      gathered.signal();
    }
  }

  private void letAnotherLead() {
    if (led) {
      return;
    }
    for (int i = 0; i < waiting.size(); i++) {
      if (waiting.get(i).awaited) {
        waiting.get(i).changed.signal();
        return;
      }
    }
    quiet.signalAll();
  }

  /** Waits to be woken; true if the thread was interrupted. */
  private static boolean pause(Lane lane) {
    try {
      if (lane.hasDeadline && !lane.running) {
        lane.changed.await(Math.max(1, lane.deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      } else {
        lane.changed.await();
      }
      return false;
    } catch (InterruptedException e) {
      return true;
    }
  }

  private static Lane.Outcome outcome(Lane lane) {
    switch (lane.failure) {
      case null -> {
        return Lane.Outcome.DONE;
      }
      case CancellationException _ when lane.cancelled -> {
        return Lane.Outcome.CANCELLED;
      }
      case CancellationException e ->
          throw new LlamaException("the model was closed during a generation", e);
      default -> throw lane.failure;
    }
  }

  private static Lane.Outcome ended(Lane lane) {
    if (lane.cancelled) {
      return Lane.Outcome.CANCELLED;
    }
    boolean expired = lane.hasDeadline && System.nanoTime() - lane.deadline >= 0;
    return expired ? Lane.Outcome.EXPIRED : Lane.Outcome.DONE;
  }

  private long gatherNanos() {
    return Math.clamp(stepNanos / 4, MIN_GATHER_NANOS, MAX_GATHER_NANOS);
  }

  /** Asked by the forward pass between two layers. */
  private boolean allCancelled() {
    for (int i = 0; i < step.size(); i++) {
      if (!step.get(i).cancelled) {
        return false;
      }
    }
    return true;
  }
}
