package org.llamaj.generate;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Runs what can wait until a model has nothing else to do: one task after another, on a daemon
 * thread that is there while there are tasks. Each finds the right moments itself, by {@link
 * Lane#readIdle}. Thread-safe.
 */
public final class IdleTime implements AutoCloseable {
  private final ScheduledThreadPoolExecutor executor;

  /** Makes a thread when there is something to do. */
  public IdleTime() {
    executor =
        new ScheduledThreadPoolExecutor(
            1,
            Thread.ofPlatform().daemon().name("llamaj-idle").factory(),
            (task, _) -> ((Future<?>) task).cancel(false));
    executor.setRemoveOnCancelPolicy(true);
    executor.setKeepAliveTime(1, TimeUnit.SECONDS);
    executor.allowCoreThreadTimeOut(true);
  }

  /**
   * Runs a task later.
   *
   * @param task what to do; it may take long
   * @param delay the earliest time, from now on
   * @return to cancel it while it has not begun; cancelled, too, if this is closed
   */
  public Future<?> after(Duration delay, Runnable task) {
    return executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Cancels what has not begun. */
  @Override
  public void close() {
    executor.shutdownNow().forEach(task -> ((Future<?>) task).cancel(false));
  }
}
