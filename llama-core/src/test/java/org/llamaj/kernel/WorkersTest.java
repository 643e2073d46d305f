package org.llamaj.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.ThreadWatch;

@Timeout(600)
class WorkersTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void everyChunkRunsOnceInEveryCall(int threads) {
    try (Workers workers = new Workers(threads)) {
      for (int call = 0; call < 2000; call++) {
        int chunks = call % 23;
        AtomicIntegerArray runs = new AtomicIntegerArray(23);
        workers.run(chunks, (chunk, worker) -> runs.incrementAndGet(chunk));
        for (int chunk = 0; chunk < 23; chunk++) {
          assertThat(runs.get(chunk)).isEqualTo(chunk < chunks ? 1 : 0);
        }
      }
    }
  }

  @Test
  void aParkedPoolWakesUp() throws InterruptedException {
    try (Workers workers = new Workers(3)) {
      for (int call = 0; call < 5; call++) {
        Thread.sleep(20);
        AtomicInteger sum = new AtomicInteger();
        workers.run(100, (chunk, worker) -> sum.addAndGet(chunk));
        assertThat(sum).hasValue(4950);
      }
    }
  }

  @Test
  void aFailureReachesTheCallerAndThePoolGoesOn() {
    try (Workers workers = new Workers(2)) {
      assertThatThrownBy(
              () ->
                  workers.run(
                      10,
                      (chunk, worker) -> {
                        if (chunk == 4) {
                          throw new IllegalStateException("chunk 4");
                        }
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("chunk 4");
      AtomicInteger runs = new AtomicInteger();
      workers.run(10, (chunk, worker) -> runs.incrementAndGet());
      assertThat(runs).hasValue(10);
    }
  }

  @Test
  void callsFromSeveralThreadsDoNotMix() throws InterruptedException {
    try (Workers workers = new Workers(2)) {
      AtomicInteger wrong = new AtomicInteger();
      Thread[] callers = new Thread[4];
      for (int t = 0; t < callers.length; t++) {
        callers[t] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int call = 0; call < 500; call++) {
                        AtomicInteger runs = new AtomicInteger();
                        workers.run(9, (chunk, worker) -> runs.incrementAndGet());
                        if (runs.get() != 9) {
                          wrong.incrementAndGet();
                        }
                      }
                    });
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(wrong).hasValue(0);
    }
  }

  @Test
  void callsWithinATaskAreDoneByTheThreadThatMakesThem() {
    try (Workers workers = new Workers(3)) {
      for (int call = 0; call < 200; call++) {
        AtomicInteger runs = new AtomicInteger();
        AtomicInteger strangers = new AtomicInteger();
        workers.run(
            6,
            (_, outer) ->
                workers.run(
                    5,
                    (_, inner) -> {
                      runs.incrementAndGet();
                      if (inner != outer) {
                        strangers.incrementAndGet();
                      }
                    }));
        assertThat(runs).hasValue(30);
        assertThat(strangers).hasValue(0);
      }
    }
  }

  @Test
  void absurdNumbersOfThreadsAreRefused() {
    for (int threads : new int[] {-1, 0, Workers.MOST_THREADS + 1, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> new Workers(threads))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("found " + threads);
    }
  }

  @Test
  void closeEndsTheThreads() throws InterruptedException {
    ThreadWatch watch = new ThreadWatch();
    Workers workers = new Workers(4);
    workers.run(8, (chunk, worker) -> {});
    assertThat(watch.alive("llamaj-worker")).isEqualTo(3);
    workers.close();
    watch.awaitNone("llamaj-worker");
  }
}
