package org.llamaj.examples.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * How fast this machine reads memory: the roof of generation, which reads all weights for each
 * token. Threads sum a buffer that is larger than any cache.
 */
final class ReadBandwidth {
  private static final long BUFFER_BYTES = 512L << 20;
  private static final int PASSES = 16;
  private static final byte FILLING = 1;
  private static final long FILLED_LONG = 0x0101_0101_0101_0101L;

  /** Longs summed by an iteration, so that additions do not wait for each other. */
  private static final int UNROLLED = 8;

  private ReadBandwidth() {}

  /**
   * Measures for a second or so; the best pass counts.
   *
   * @param threads that read, as many as the model computes on
   * @return bytes per second; empty if there is no memory for the buffer
   */
  static OptionalDouble measure(int threads) {
    try (Arena arena = Arena.ofShared();
        ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      long sliceBytes = BUFFER_BYTES / threads / Long.BYTES / UNROLLED * Long.BYTES * UNROLLED;
      MemorySegment buffer = arena.allocate(sliceBytes * threads, 64);
      buffer.fill(FILLING);
      List<Callable<Long>> readers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        MemorySegment slice = buffer.asSlice(i * sliceBytes, sliceBytes);
        readers.add(() -> sum(slice));
      }
      long best = Long.MAX_VALUE;
      for (int pass = 0; pass < PASSES; pass++) {
        long start = System.nanoTime();
        long sum = total(executor.invokeAll(readers));
        best = Math.min(best, System.nanoTime() - start);
        // Also keeps the reading from being optimised away.
        if (sum != buffer.byteSize() / Long.BYTES * FILLED_LONG) {
          throw new IllegalStateException("memory does not hold what was written");
        }
      }
      return OptionalDouble.of(buffer.byteSize() * 1e9 / best);
    } catch (OutOfMemoryError e) {
      return OptionalDouble.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return OptionalDouble.empty();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long total(List<Future<Long>> sums)
      throws InterruptedException, ExecutionException {
    long total = 0;
    for (Future<Long> sum : sums) {
      total += sum.get();
    }
    return total;
  }

  private static long sum(MemorySegment slice) {
    ValueLayout.OfLong layout = ValueLayout.JAVA_LONG;
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    for (long i = 0; i < slice.byteSize(); i += Long.BYTES * UNROLLED) {
      a += slice.get(layout, i) + slice.get(layout, i + 32);
      b += slice.get(layout, i + 8) + slice.get(layout, i + 40);
      c += slice.get(layout, i + 16) + slice.get(layout, i + 48);
      d += slice.get(layout, i + 24) + slice.get(layout, i + 56);
    }
    return a + b + c + d;
  }
}
