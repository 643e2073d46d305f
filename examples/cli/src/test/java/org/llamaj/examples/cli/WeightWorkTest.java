package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class WeightWorkTest {
  private static final Tensor EMBEDDING = tensor("token_embd.weight", 10, 4);
  private static final Tensor NORM = tensor("output_norm.weight", 4);
  private static final Tensor DOWN = tensor("blk.0.ffn_down.weight", 4, 8);

  @Test
  void countsATiedEmbeddingAsTheOutput() {
    WeightWork work = WeightWork.of(List.of(EMBEDDING, NORM, DOWN), "token_embd.weight", 0);
    assertThat(work).isEqualTo(new WeightWork(4 * (40 + 4 + 32), 2 * 32, 2 * 40));
    assertThat(work.promptOperations(5)).isEqualTo(5 * 64 + 80);
  }

  @Test
  void countsNoEmbeddingBesideAnOutput() {
    Tensor output = tensor("output.weight", 10, 4);
    assertThat(WeightWork.of(List.of(EMBEDDING, output, DOWN), "output.weight", 0))
        .isEqualTo(new WeightWork(4 * (40 + 32), 2 * 32, 2 * 40));
  }

  @Test
  void countsTheExpertsThatATokenUses() {
    Tensor experts = tensor("blk.0.ffn_up_exps.weight", 8, 2, 4);
    assertThat(WeightWork.of(List.of(EMBEDDING, experts), "token_embd.weight", 0.25))
        .isEqualTo(new WeightWork(4 * (40 + 16), 2 * 16, 2 * 40));
  }

  private static Tensor tensor(String name, long... sizes) {
    Shape shape = Shape.of(sizes);
    return new Tensor(
        name,
        ElementType.F32,
        shape,
        MemorySegment.ofArray(new byte[(int) (4 * shape.elements())]));
  }
}
