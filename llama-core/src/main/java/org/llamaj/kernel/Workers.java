package org.llamaj.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that share the work of one kernel call. The calling thread is one of them; the others are
 * daemon threads that wait between calls, first spinning (a decode step makes a hundred short
 * calls), then parked.
 *
 * <p>A call hands out its chunks one by one, so that a core which is slowed by other work takes
 * fewer of them and all finish together. Calls from several threads are made one after the other.
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

  /** How long an idle worker spins before it parks; longer than the gaps within a decode step. */
  private static final long SPIN_NANOS = 100_000;

  private static final VarHandle GENERATION;

  static {
    try {
      GENERATION = MethodHandles.lookup().findVarHandle(Workers.class, "generation", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Thread[] helpers;
  private final AtomicInteger nextChunk = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private final Object callLock = new Object();

  private Task task;
  private int chunks;
  private volatile Throwable failure;

  /** Counts the calls; a change tells the workers to start. */
  private int generation;

  private volatile boolean closed;

  /**
   * Starts the threads.
   *
   * @param threads how many threads compute, the caller's included; at least 1
   */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("expected at least 1 thread, found " + threads);
    }
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] =
          Thread.ofPlatform().daemon().name("llamaj-worker-" + worker).start(() -> serve(worker));
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
   * Runs all chunks of a task and returns when they are done. Not to be called from within a task.
   *
   * @param chunkCount how many chunks; a single chunk is run by the caller alone
   * @param work does a chunk
   */
  public void run(int chunkCount, Task work) {
    if (chunkCount <= 0) {
      return;
    }
    if (chunkCount == 1 || helpers.length == 0) {
      for (int chunk = 0; chunk < chunkCount; chunk++) {
        work.run(chunk, 0);
      }
      return;
    }
    synchronized (callLock) {
      task = work;
      chunks = chunkCount;
      nextChunk.setPlain(0);
      running.set(helpers.length);
      GENERATION.setVolatile(this, generation + 1);
      for (Thread helper : helpers) {
        LockSupport.unpark(helper);
      }
      takeChunks(work, chunkCount, 0);
      while (running.get() != 0) {
        Thread.onSpinWait();
      }
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

  private void takeChunks(Task work, int count, int worker) {
    try {
      int chunk;
      while ((chunk = nextChunk.getAndIncrement()) < count) {
        work.run(chunk, worker);
      }
    } catch (Throwable t) {
      failure = t;
      nextChunk.set(count);
    }
  }

  private void serve(int worker) {
    int seen = 0;
    while (awaitCall(seen)) {
      seen++;
      takeChunks(task, chunks, worker);
      running.getAndDecrement();
    }
  }

  /** Waits for call number {@code seen + 1}; false when the pool is closed. */
  private boolean awaitCall(int seen) {
    long spinUntil = System.nanoTime() + SPIN_NANOS;
    int spins = 0;
    while ((int) GENERATION.getAcquire(this) == seen) {
      if (closed) {
        return false;
      }
      if ((++spins & 127) == 0 && System.nanoTime() > spinUntil) {
        LockSupport.park(this);
      } else {
        Thread.onSpinWait();
      }
    }
    return true;
  }

  private static RuntimeException asUnchecked(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return thrown instanceof RuntimeException runtime ? runtime : new IllegalStateException(thrown);
  }
}
