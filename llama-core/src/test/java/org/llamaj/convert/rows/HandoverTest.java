package org.llamaj.convert.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaException;

class HandoverTest {

  @Test
  void piecesArriveInOrderWhileTheNextOneIsMade() {
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    try (Handover handover = new Handover(bytes -> written.writeBytes(array(bytes)))) {
      byte[][] buffers = new byte[2][1];
      for (int i = 0; i < 100; i++) {
        byte[] buffer = buffers[i % 2]; // free when the call before has returned
        buffer[0] = (byte) i;
        handover.accept(MemorySegment.ofArray(buffer));
      }
      handover.await();
      assertThat(written.size()).isEqualTo(100);
      for (int i = 0; i < 100; i++) {
        assertThat(written.toByteArray()[i]).isEqualTo((byte) i);
      }
    }
  }

  @Test
  void whoHandsOverDoesNotWait() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch begun = new CountDownLatch(1);
    try (Handover handover =
        new Handover(
            _ -> {
              begun.countDown();
              awaitQuietly(goOn);
            })) {
      handover.accept(MemorySegment.NULL);
      begun.await(); // only reached because accept returned while the target is still busy
      goOn.countDown();
    }
  }

  @Test
  void aFailureIsToldAtTheNextCall() {
    Handover handover =
        new Handover(
            _ -> {
              throw new LlamaException("the disk is full");
            });
    handover.accept(MemorySegment.NULL);
    assertThatThrownBy(() -> handover.accept(MemorySegment.NULL)).hasMessage("the disk is full");
    handover.accept(MemorySegment.NULL);
    assertThatThrownBy(handover::await).hasMessage("the disk is full");
    handover.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.isAlive() && thread.getName().equals("llamaj-writer"));
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] array(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }
}
