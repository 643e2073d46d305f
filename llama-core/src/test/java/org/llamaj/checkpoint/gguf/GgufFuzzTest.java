package org.llamaj.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.MetadataValue;

/**
 * Damage at random: our exception or success. Memory taken on the word of a damaged length (most
 * are over 4 GiB) would be an OutOfMemoryError, which fails too.
 */
class GgufFuzzTest {
  private static final int ROUNDS = 3000;
  private static final long MAX_ALLOCATED = 1 << 20;
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private int refused;

  @ParameterizedTest
  @ValueSource(strings = {"ok-plain.gguf", "ok-extra-metadata.gguf", "ok-alignment-64.gguf"})
  void changedBytes(String name) throws IOException {
    byte[] whole = resource(name);
    int headerBytes = headerBytes(whole);
    Random random = new Random(1);
    for (int round = 0; round < ROUNDS; round++) {
      byte[] damaged = whole.clone();
      int changes = 1 + random.nextInt(4);
      for (int i = 0; i < changes; i++) damage(damaged, headerBytes, random);
      read(damaged, name + " round " + round);
    }
    assertThat(refused).isBetween(ROUNDS / 10, ROUNDS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ok-plain.gguf", "ok-extra-metadata.gguf"})
  void everyTruncationOfTheHeaderIsRefused(String name) throws IOException {
    byte[] whole = resource(name);
    int headerBytes = headerBytes(whole);
    for (int length = 0; length < headerBytes; length++) {
      read(Arrays.copyOf(whole, length), name + " length " + length);
    }
    assertThat(refused).isEqualTo(headerBytes);
  }

  /** One bit, one byte, or a number of four or eight bytes that is extreme. */
  private static void damage(byte[] file, int headerBytes, Random random) {
    int at = random.nextInt(headerBytes);
    switch (random.nextInt(4)) {
      case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> file[at] = (byte) random.nextInt();
      case 2 -> Arrays.fill(file, at, at + 4, (byte) (random.nextBoolean() ? 0xFF : 0));
      default -> Arrays.fill(file, at, at + 8, (byte) random.nextInt());
    }
  }

  private void read(byte[] file, String what) {
    long before = THREAD.getCurrentThreadAllocatedBytes();
    try (Checkpoint checkpoint = GgufReader.read(MemorySegment.ofArray(file), what)) {
      for (MetadataValue value : checkpoint.metadata().values().values()) value.toString();
    } catch (CheckpointException e) {
      refused++;
    } catch (Throwable e) {
      fail(what, e);
    }
    assertThat(THREAD.getCurrentThreadAllocatedBytes() - before)
        .as("bytes allocated for " + what)
        .isLessThan(MAX_ALLOCATED);
  }

  /** What stands before the tensors' data. */
  private static int headerBytes(byte[] whole) {
    MemorySegment file = MemorySegment.ofArray(whole);
    try (Checkpoint checkpoint = GgufReader.read(file, "whole")) {
      long first =
          checkpoint.tensors().stream().mapToLong(t -> t.data().address()).min().orElseThrow();
      return (int) (first - file.address());
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = GgufFuzzTest.class.getResourceAsStream("/golden/bad/" + name)) {
      return in.readAllBytes();
    }
  }
}
