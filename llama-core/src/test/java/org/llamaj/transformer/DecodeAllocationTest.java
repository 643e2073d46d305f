package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.KernelProvider;

/**
 * Once it is under way, decoding allocates nothing on the heap but a {@link org.llamaj.kernel.Span}
 * for each sequence: neither the transformer nor kernels in machine code. (Those in Java make
 * vectors that only the compiler removes.)
 */
class DecodeAllocationTest {
  private static final int SPAN_BYTES = 40;
  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Tokens of a page but for a few, so that no page is taken meanwhile. */
  private static final int STEPS = 60;

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aDecodeStepAllocatesNoMoreThanItsSpans(int sequences) throws URISyntaxException {
    assumeTrue(
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .anyMatch(p -> p.name().equals("x86") && p.unavailable().isEmpty()));
    Path file = Path.of(getClass().getResource("/golden/text/llama32-bpe-Q8_0/model.gguf").toURI());
    try (LlamaModel model = LlamaModel.builder(file).kernels("x86").threads(2).load()) {
      Transformer transformer = model.transformer();
      Batch batch = transformer.newBatch();
      Sequence[] open = new Sequence[sequences];
      for (int i = 0; i < sequences; i++) {
        open[i] = transformer.newSequence();
      }
      // Enough for the compiler to have done its part; then on to the second token of a page.
      for (int i = 0; i < 64 * 8 + 2; i++) {
        step(transformer, batch, open);
      }
      long least = Long.MAX_VALUE;
      for (int page = 0; page < 4; page++) {
        long before = THREAD.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < STEPS; i++) {
          step(transformer, batch, open);
        }
        least = Math.min(least, THREAD.getCurrentThreadAllocatedBytes() - before);
        for (int i = STEPS; i < 64; i++) {
          step(transformer, batch, open);
        }
      }
      for (Sequence sequence : open) {
        sequence.close();
      }
      assertThat(least / STEPS)
          .as("bytes per step")
          .isLessThanOrEqualTo((long) SPAN_BYTES * sequences);
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
