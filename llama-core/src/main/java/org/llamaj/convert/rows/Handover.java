package org.llamaj.convert.rows;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * Hands bytes on to a thread that writes them, so that the disk works while the next are computed.
 * One piece is under way at a time. Used by one thread.
 */
public final class Handover implements Consumer<MemorySegment>, AutoCloseable {
  private final Consumer<MemorySegment> target;
  private final ExecutorService writer =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("llamaj-writer").factory());
  private Future<?> running;

  /**
   * @param target called on the writing thread
   */
  public Handover(Consumer<MemorySegment> target) {
    this.target = target;
  }

  /**
   * Waits until the piece before has been written, and begins to write this one.
   *
   * @param bytes stay as they are until the next call returns
   */
  @Override
  public void accept(MemorySegment bytes) {
    await();
    running = writer.submit(() -> target.accept(bytes));
  }

  /** Waits until all has been written; fails as the writing did. */
  public void await() {
    boolean interrupted = false;
    while (running != null) {
      try {
        running.get();
        running = null;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        running = null;
        rethrow(e.getCause());
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(Throwable failure) {
    switch (failure) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  /** Waits for the piece under way and ends the thread. */
  @Override
  public void close() {
    writer.close();
  }
}
