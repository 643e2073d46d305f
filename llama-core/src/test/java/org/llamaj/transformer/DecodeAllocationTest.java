package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.KernelProvider;

/**
 * Once it is under way, decoding allocates nothing on the heap but a {@link org.llamaj.kernel.Span}
 * for each sequence: neither the transformer nor kernels, be they in machine code or in vectors
 * (which are objects until the compiler has removed them).
 */
class DecodeAllocationTest {
  private static final int SPAN_BYTES = 40;
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final int PAGE = 64;

  /** Tokens of a page but for a few, so that no page is taken meanwhile. */
  private static final int STEPS = 60;

  /** Within which the compiler is to have done its part; vectors take about 15. */
  private static final int PAGES = 400;

  @ParameterizedTest
  @CsvSource({"x86, 1", "x86, 3", "vector, 1"})
  void aDecodeStepAllocatesNoMoreThanItsSpans(String kernels, int sequences)
      throws URISyntaxException {
    assumeTrue(
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .anyMatch(p -> p.name().equals(kernels) && p.unavailable().isEmpty()));
    Path file = Path.of(getClass().getResource("/golden/text/llama32-bpe-Q8_0/model.gguf").toURI());
    try (LlamaModel model = LlamaModel.builder(file).kernels(kernels).threads(2).load()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      Sequence[] open = new Sequence[sequences];
      for (int i = 0; i < sequences; i++) {
        open[i] = transformer.newSequence();
      }
      long allowed = (long) SPAN_BYTES * STEPS * sequences;
      long least = Long.MAX_VALUE;
      for (int page = 0; page < PAGES && least > allowed; page++) {
        if (page % 8 == 0) {
          for (Sequence sequence : open) {
            sequence.truncate(0);
          }
        }
        step(transformer, batch, open);
        step(transformer, batch, open);
        long before = THREAD.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
          step(transformer, batch, open);
        }
        least = Math.min(least, THREAD.getCurrentThreadAllocatedBytes() - before);
        for (int i = STEPS + 2; i < PAGE; i++) {
          step(transformer, batch, open);
        }
      }
      for (Sequence sequence : open) {
        sequence.close();
      }
      assertThat(least).as("bytes in %d steps", STEPS).isLessThanOrEqualTo(allowed);
    }
  }

  private static void step(Transformer transformer, Batch batch, Sequence[] sequences) {
    batch.clear();
    for (Sequence sequence : sequences) {
      batch.add(sequence, 7).wantLogits();
    }
    transformer.forward(batch);
  }
}
