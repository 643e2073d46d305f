package org.llamaj.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share the work of one kernel call. The calling thread is one of them; the others are
 * daemon threads that wait between calls, first spinning (a decode step makes a hundred short
 * calls), then parked.
 *
 * <p>A call hands out its chunks one by one, so that a core which is slowed by other work takes
 * fewer of them and all finish together. Calls from several threads are made one after the other; a
 * call from within a task is done by the thread that makes it, alone.
 */
public final class Workers implements AutoCloseable {

  /** Work that can be cut into independent chunks. */
  @FunctionalInterface
  public interface Task {
    /**
     * Does one chunk.
     *
     * @param chunk index of the chunk, from 0
     * @param worker index of the thread, from 0 to {@link Workers#threads} - 1: chooses scratch
     */
    void run(int chunk, int worker);
  }

  /** The most threads of a pool: more than any machine has cores. */
  public static final int MOST_THREADS = 1024;

  /** How long an idle worker spins before it parks; longer than the gaps within a decode step. */
  private static final long SPIN_NANOS = 100_000;

  /** How often the caller looks for the others' end before it lets other threads run. */
  private static final int SPINS_BEFORE_YIELD = 20_000;

  /** The worker that a thread outside the pool is. */
  private static final int NONE = -1;

  private static final VarHandle COUNTER = MethodHandles.arrayElementVarHandle(int[].class);

  // The counters lie in cache lines of their own: some spin on one while others change another.
  private static final int LINE = 32;

  /** Counts the calls; a change tells the workers to start. */
  private static final int GENERATION = LINE;

  /** The next chunk that nobody has taken. */
  private static final int NEXT_CHUNK = 2 * LINE;

  /** How many workers have not finished the call. */
  private static final int RUNNING = 3 * LINE;

  /** From here on: 1 for each worker that is parked or about to be. */
  private static final int PARKED = 4 * LINE;

  private final int[] counters;
  private final Thread[] helpers;
  private final Object callLock = new Object();

  // Written before and read after GENERATION changes.
  private Task task;
  private int chunks;

  private volatile Throwable failure;
  private volatile boolean closed;

  /**
   * Starts the threads.
   *
   * @param threads how many threads compute, the caller's included; from 1 to {@value
   *     #MOST_THREADS}
   */
  public Workers(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "expected from 1 to %d threads, found %d".formatted(MOST_THREADS, threads));
    }
    counters = new int[PARKED + threads * LINE];
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] =
          Thread.ofPlatform()
              .daemon()
              .name("llamaj-worker-" + worker)
              .unstarted(() -> serve(worker));
    }
    try {
      for (Thread helper : helpers) {
        helper.start();
      }
    } catch (OutOfMemoryError e) {
      close(); // the system gives no more of them
      throw e;
    }
  }

  /**
   * How many threads compute.
   *
   * @return at least 1
   */
  public int threads() {
    return helpers.length + 1;
  }

  /**
   * Runs all chunks of a task and returns when they are done.
   *
   * @param chunkCount how many chunks; a single chunk is run by the caller alone
   * @param work does a chunk
   */
  public void run(int chunkCount, Task work) {
    if (chunkCount <= 0) {
      return;
    }
    int worker = workerOfThisThread();
    if (chunkCount == 1 || helpers.length == 0 || worker != NONE) {
      for (int chunk = 0; chunk < chunkCount; chunk++) {
        work.run(chunk, Math.max(0, worker));
      }
      return;
    }
    synchronized (callLock) {
      task = work;
      chunks = chunkCount;
      COUNTER.set(counters, NEXT_CHUNK, 0);
      COUNTER.set(counters, RUNNING, helpers.length);
      COUNTER.setVolatile(counters, GENERATION, counters[GENERATION] + 1);
      for (int i = 0; i < helpers.length; i++) {
        if ((int) COUNTER.getVolatile(counters, parked(i + 1)) != 0) {
          LockSupport.unpark(helpers[i]);
        }
      }
      takeChunks(work, chunkCount, 0);
      awaitOthers();
      task = null;
      Throwable thrown = failure;
      if (thrown != null) {
        failure = null;
        throw asUnchecked(thrown);
      }
    }
  }

  /** Ends the threads. */
  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  /** The index of the calling thread if it is just running a task, or else {@link #NONE}. */
  private int workerOfThisThread() {
    if (Thread.holdsLock(callLock)) {
      return 0;
    }
    Thread current = Thread.currentThread();
    for (int i = 0; i < helpers.length; i++) {
      if (helpers[i] == current) {
        return i + 1;
      }
    }
    return NONE;
  }

  private void takeChunks(Task work, int count, int worker) {
    try {
      int chunk;
      while ((chunk = (int) COUNTER.getAndAdd(counters, NEXT_CHUNK, 1)) < count) {
        work.run(chunk, worker);
      }
    } catch (Throwable t) {
      failure = t;
      COUNTER.setVolatile(counters, NEXT_CHUNK, count);
    }
  }

  private void awaitOthers() {
    int spins = 0;
    while ((int) COUNTER.getAcquire(counters, RUNNING) != 0) {
      if (++spins > SPINS_BEFORE_YIELD) {
        Thread.yield();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private void serve(int worker) {
    int seen = 0;
    while (awaitCall(seen, worker)) {
      seen++;
      takeChunks(task, chunks, worker);
      COUNTER.getAndAdd(counters, RUNNING, -1);
    }
  }

  /** Waits for call number {@code seen + 1}; false when the pool is closed. */
  private boolean awaitCall(int seen, int worker) {
    long spinUntil = System.nanoTime() + SPIN_NANOS;
    int spins = 0;
    while ((int) COUNTER.getAcquire(counters, GENERATION) == seen) {
      if (closed) {
        return false;
      }
      if ((++spins & 127) == 0 && System.nanoTime() > spinUntil) {
        parkUnlessCalled(seen, worker);
      } else {
        Thread.onSpinWait();
      }
    }
    return true;
  }

  /** The caller looks at the mark after it has changed GENERATION, we set it before we look. */
  private void parkUnlessCalled(int seen, int worker) {
    COUNTER.setVolatile(counters, parked(worker), 1);
    if ((int) COUNTER.getVolatile(counters, GENERATION) == seen && !closed) {
      LockSupport.park(this);
    }
    COUNTER.setVolatile(counters, parked(worker), 0);
  }

  private static int parked(int worker) {
    return PARKED + worker * LINE;
  }

  private static RuntimeException asUnchecked(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException runtime ? runtime : new IllegalStateException(thrown);
  }
}
