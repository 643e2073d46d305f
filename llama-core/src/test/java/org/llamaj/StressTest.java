package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.kernel.KernelProvider;
import java.util.ServiceLoader;

/**
 * Two models and eight sessions at once while the garbage collector is kept busy: every text must
 * be the one that an undisturbed model gives. Some seconds for each kernel provider, or {@code
 * -Dstress.seconds}.
 */
@Timeout(3600)
class StressTest {
  private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("stress.seconds", 8));

  static Stream<String> kernels() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty() && provider.priority() > 0)
        .map(KernelProvider::name);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void textsStayRightUnderLoad(String kernels) throws Exception {
    try (LlamaModel one = LlamaModel.builder(TestModels.quantised()).kernels(kernels).load();
        LlamaModel two = LlamaModel.builder(TestModels.llama2()).kernels(kernels).load();
        ExecutorService threads = Executors.newFixedThreadPool(9)) {
      String expectedOne = text(one);
      String expectedTwo = text(two);
      long end = System.nanoTime() + TIME.toNanos();
      List<Future<Integer>> sessions = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        sessions.add(threads.submit(() -> repeat(one, expectedOne, end)));
        sessions.add(threads.submit(() -> repeat(two, expectedTwo, end)));
      }
      Future<?> garbage = threads.submit(() -> makeGarbage(end));
      for (Future<Integer> session : sessions) {
        assertThat(session.get()).as("rounds of a session").isPositive();
      }
      garbage.get();
    }
  }

  private static int repeat(LlamaModel model, String expected, long end) {
    int rounds = 0;
    do {
      assertThat(text(model)).isEqualTo(expected);
      rounds++;
    } while (System.nanoTime() < end);
    return rounds;
  }

  /**
   * No two tokens of this text are nearly as probable: some kernels round a few rows in another way
   * than many, and how many there are depends on the others.
   */
  private static String text(LlamaModel model) {
    return model.prompt("Tell me").maxTokens(20).temperature(0).generate().text();
  }

  private static void makeGarbage(long end) {
    List<byte[]> kept = new ArrayList<>();
    while (System.nanoTime() < end) {
      kept.add(new byte[1 << 20]);
      if (kept.size() == 256) {
        kept.clear();
        Thread.onSpinWait();
      }
    }
  }
}
