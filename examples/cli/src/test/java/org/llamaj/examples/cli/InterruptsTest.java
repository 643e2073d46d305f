package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InterruptsTest {

  @Test
  void runTheActionUntilClosed() throws Exception {
    CountDownLatch outer = new CountDownLatch(1);
    CountDownLatch inner = new CountDownLatch(1);
    try (Interrupts.Registration _ = Interrupts.handle(outer::countDown)) {
      try (Interrupts.Registration _ = Interrupts.handle(inner::countDown)) {
        interrupt();
        assertThat(inner.await(10, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(outer.getCount()).isOne();
      interrupt();
      assertThat(outer.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void interrupt() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    signal
        .getMethod("raise", signal)
        .invoke(null, signal.getConstructor(String.class).newInstance("INT"));
  }
}
