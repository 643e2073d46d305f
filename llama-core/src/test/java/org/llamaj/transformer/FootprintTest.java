package org.llamaj.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.LlamaModel;
import org.llamaj.MemoryPlan;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;

class FootprintTest {
  private static final long GIB = 1L << 30;

  /** Llama 4 Scout: 48 layers, of which 36 keep a chunk of 8192 tokens. */
  private static final Configuration SCOUT =
      new Configuration(
          "llama4",
          202_048,
          10_485_760,
          5120,
          48,
          40,
          8,
          128,
          16_384,
          1e-5f,
          new Rope(128, 5e5, new RopeScaling.None(), RotaryPairs.INTERLEAVED),
          new InterleavedAttention(4, 8192, 0.1, 8192, true),
          new Experts(16, 1, 8192, 1, true, ExpertRouting.SIGMOID_OF_INPUT));

  @Test
  void tenMillionTokensOfScout() {
    long perTokenAndLayer = 2 * 8 * 128 * 2;
    long global = 12 * 10_485_760L * perTokenAndLayer;
    long bytes = new Footprint(SCOUT, 512).cacheBytes(10_485_760, CacheType.F16);
    assertThat(global).isEqualTo(480 * GIB);
    assertThat(bytes - global)
        .isGreaterThanOrEqualTo(36 * 8192 * perTokenAndLayer)
        .isLessThan(36 * (8192 + 1024) * perTokenAndLayer);
  }

  /** The table of the README, in GiB. */
  @ParameterizedTest
  @CsvSource({
    "    8192,  1.50, 0.80, 0.42",
    "  131072,  7.24, 3.85, 2.04",
    " 1048576, 49.2, 26.2, 13.8",
    "10485760, 481.2, 255.7, 135.4",
  })
  void cacheOfScout(int tokens, double f16, double q8, double q4) {
    Footprint footprint = new Footprint(SCOUT, 512);
    assertThat(gib(footprint, tokens, CacheType.F16)).isCloseTo(f16, withinPercentage(0.5));
    assertThat(gib(footprint, tokens, CacheType.Q8_0)).isCloseTo(q8, withinPercentage(0.5));
    assertThat(gib(footprint, tokens, CacheType.Q4_0)).isCloseTo(q4, withinPercentage(0.5));
  }

  private static double gib(Footprint footprint, int tokens, CacheType type) {
    return (double) footprint.cacheBytes(tokens, type) / GIB;
  }

  @Test
  void aShortContextTakesTheSameInAllLayers() {
    long perTokenAndLayer = 2 * 8 * 128 * 4;
    assertThat(new Footprint(SCOUT, 512).cacheBytes(4096, CacheType.F32))
        .isEqualTo(48 * 4096 * perTokenAndLayer);
  }

  @Test
  void thePlanIsWhatIsAllocated() {
    GoldenCase golden = GoldenCase.all("text", FootprintTest.class).getFirst();
    int tokens = 100;
    MemoryPlan plan = LlamaModel.builder(golden.model()).contextLength(tokens).batchSize(48).plan();
    AtomicLong allocated = new AtomicLong();
    try (LlamaModel model = LlamaModel.load(golden.model());
        Workers workers = new Workers(1);
        Kernels kernels = new ScalarKernelProvider().open(workers);
        Arena arena = Arena.ofShared()) {
      Transformer transformer =
          new TransformerBuilder(
                  model.transformer().configuration(),
                  model.checkpoint()::find,
                  kernels,
                  counting(arena, allocated),
                  48)
              .build(tokens, CacheType.F16, PageMemory.of(arena), Optional.empty(), _ -> {});
      assertThat(plan.scratch()).isEqualTo(allocated.get());
      try (Sequence sequence = transformer.newSequence()) {
        Batch batch = transformer.newBatch();
        for (int i = 0; i < tokens; i++) {
          if (batch.size() == batch.capacity()) {
            transformer.forward(batch);
            batch.clear();
          }
          batch.add(sequence, i);
        }
        transformer.forward(batch);
        assertThat(plan.cache()).isEqualTo(transformer.cacheBytes());
      }
      assertThat(plan.weights()).isLessThan(model.checkpoint().totalBytes());
      assertThat(plan.total()).isEqualTo(plan.weights() + plan.cache() + plan.scratch());
    }
  }

  private static Arena counting(Arena arena, AtomicLong bytes) {
    return new Arena() {
      @Override
      public MemorySegment allocate(long byteSize, long byteAlignment) {
        bytes.addAndGet(byteSize);
        return arena.allocate(byteSize, byteAlignment);
      }

      @Override
      public MemorySegment.Scope scope() {
        return arena.scope();
      }

      @Override
      public void close() {
        arena.close();
      }
    };
  }
}
