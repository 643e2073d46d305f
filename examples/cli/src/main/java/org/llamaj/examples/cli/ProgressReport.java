package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import org.llamaj.LlamaException;

/**
 * How far the writing of a file is and how long it will take: at every tenth, or in a line that
 * changes at a terminal. Ends the writing when it was interrupted.
 */
final class ProgressReport implements AutoCloseable {
  private static final int STEPS = 10;
  private static final long REPAINT_NANOS = 200_000_000;

  private final LongFunction<String> amount;
  private final Path file;
  private final PrintWriter err;
  private final boolean terminal;
  private final AtomicBoolean interrupted = new AtomicBoolean();
  private final Interrupts.Registration registration;
  private final long start = System.nanoTime();
  private long painted = start;
  private int told;

  ProgressReport(Path file, PrintWriter err) {
    this(file, err, ByteSize::of);
  }

  /**
   * @param amount writes what there is to do, with its unit
   */
  ProgressReport(Path file, PrintWriter err, LongFunction<String> amount) {
    this.amount = amount;
    this.file = file;
    this.err = err;
    terminal = Terminal.isInteractive();
    registration = Interrupts.handle(() -> interrupted.set(true));
  }

  /** The unfinished file is deleted by the writer that the exception passes. */
  void report(long bytes, long totalBytes) {
    if (interrupted.get()) {
      throw new LlamaException("%s: interrupted, nothing was written".formatted(file));
    }
    double done = totalBytes == 0 ? 1 : (double) bytes / totalBytes;
    if (terminal) {
      long now = System.nanoTime();
      if (now - painted > REPAINT_NANOS || bytes == totalBytes) {
        painted = now;
        err.printf("\r%s\033[K", line(done, amount.apply(totalBytes), now - start));
        if (bytes == totalBytes) {
          err.println();
        }
        err.flush();
      }
    } else if ((int) (STEPS * done) > told) {
      told = (int) (STEPS * done);
      err.println(line(done, amount.apply(totalBytes), System.nanoTime() - start));
    }
  }

  /** For example {@code 40% of 1.2 GiB, 12 s left}. */
  static String line(double done, String total, long nanos) {
    long left = Math.round(nanos / 1e9 * (1 - done) / Math.max(done, 1e-9));
    String time = left < 100 ? left + " s" : Math.ceilDiv(left, 60) + " min";
    return "%d%% of %s%s"
        .formatted(
            (int) Math.floor(100 * done + 1e-9), total, done < 1 ? ", " + time + " left" : "");
  }

  @Override
  public void close() {
    registration.close();
  }
}
