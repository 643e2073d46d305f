package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class InterruptsTest {
  private static final long SIGINT = 1 << (2 - 1);

  @Test
  void runTheActionUntilClosed() throws Exception {
    assumeThat(isIgnored()).as("Ctrl-C is ignored, as by shells' background jobs").isFalse();
    CountDownLatch outer = new CountDownLatch(1);
    CountDownLatch inner = new CountDownLatch(1);
    try (Interrupts.Registration _ = Interrupts.handle(outer::countDown)) {
      try (Interrupts.Registration _ = Interrupts.handle(inner::countDown)) {
        interrupt();
        inner.await();
      }
      assertThat(outer.getCount()).isOne();
      interrupt();
      outer.await();
    }
  }

  /** A JVM that was started with the signal ignored leaves it at that. */
  private static boolean isIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return false;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & SIGINT) != 0);
  }

  private static void interrupt() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    signal
        .getMethod("raise", signal)
        .invoke(null, signal.getConstructor(String.class).newInstance("INT"));
  }
}
