package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenCase;
import org.llamaj.transformer.Configuration;

class MixtureOfExpertsProviderTest {

  @Test
  void planAndScratchAreTheSame() {
    GoldenCase golden =
        GoldenCase.all("text", MixtureOfExpertsProviderTest.class).stream()
            .filter(GoldenCase::hasExperts)
            .findFirst()
            .orElseThrow();
    AtomicLong allocated = new AtomicLong();
    MixtureOfExpertsProvider provider = new MixtureOfExpertsProvider();
    try (LlamaModel model = LlamaModel.load(golden.model());
        Arena arena = Arena.ofConfined()) {
      Configuration configuration = model.transformer().configuration();
      assertThat(provider.supports(configuration)).isTrue();
      Workspace.allocate(counting(arena, allocated), 33, configuration);
      assertThat(provider.scratchBytes(configuration, 33)).isEqualTo(allocated.get()).isPositive();
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
