package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;

class WeightWorkTest {
  private static final TensorDescription EMBEDDING = tensor("token_embd.weight", 10, 4);
  private static final TensorDescription NORM = tensor("output_norm.weight", 4);
  private static final TensorDescription DOWN = tensor("blk.0.ffn_down.weight", 4, 8);

  @Test
  void countsATiedEmbeddingAsTheOutput() {
    WeightWork work = WeightWork.of(List.of(EMBEDDING, NORM, DOWN), "token_embd.weight", 0);
    assertThat(work).isEqualTo(new WeightWork(4 * (40 + 4 + 32), 2 * 32, 2 * 40));
    assertThat(work.promptOperations(5)).isEqualTo(5 * 64 + 80);
  }

  @Test
  void countsNoEmbeddingBesideAnOutput() {
    TensorDescription output = tensor("output.weight", 10, 4);
    assertThat(WeightWork.of(List.of(EMBEDDING, output, DOWN), "output.weight", 0))
        .isEqualTo(new WeightWork(4 * (40 + 32), 2 * 32, 2 * 40));
  }

  @Test
  void countsTheExpertsThatATokenUses() {
    TensorDescription experts = tensor("blk.0.ffn_up_exps.weight", 8, 2, 4);
    assertThat(WeightWork.of(List.of(EMBEDDING, experts), "token_embd.weight", 0.25))
        .isEqualTo(new WeightWork(4 * (40 + 16), 2 * 16, 2 * 40));
  }

  private static TensorDescription tensor(String name, long... sizes) {
    return new TensorDescription(name, ElementType.F32, Shape.of(sizes));
  }
}
