package org.llamaj.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class WeightMixTest {
  private static final Shape MATRIX = Shape.of(512, 512);

  @ParameterizedTest
  @EnumSource
  void denseReferenceFilesHaveTheseTypes(FileType fileType) {
    assertTypesOf("llama32-bpe-" + fileType, fileType);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral-Q4_K_M", "mixtral-Q8_0", "llama4-scout-Q8_0"})
  void expertReferenceFilesHaveTheseTypes(String name) {
    assertTypesOf(name, FileType.valueOf(name.substring(name.lastIndexOf('-') + 1)));
  }

  private static void assertTypesOf(String name, FileType fileType) {
    Path file = Path.of(System.getProperty("golden.dir", ""), "text", name, "model.gguf");
    assumeTrue(Files.exists(file), "no reference data in " + file);
    try (Checkpoint checkpoint = GgufReader.open(file)) {
      WeightMix mix = WeightMix.of(fileType, checkpoint, false);
      assertThat(checkpoint.metadata().integer("general.file_type")).hasValue(fileType.id());
      for (Tensor tensor : checkpoint.tensors()) {
        assertThat(mix.type(tensor.name(), tensor.shape()))
            .as(tensor.name())
            .isEqualTo(tensor.type());
      }
    }
  }

  @Test
  void mediumMixesGiveMoreBitsToTheEndsAndEveryThirdLayerBetween() {
    WeightMix mix = new WeightMix(FileType.Q4_K_M, 16, 4, 0, true, false);
    assertThat(
            IntStream.range(0, 16)
                .filter(i -> mix.type("blk." + i + ".ffn_down.weight", MATRIX) == ElementType.Q6_K))
        .containsExactly(0, 1, 4, 7, 10, 13, 14, 15);
    assertThat(mix.type("blk.0.ffn_up.weight", MATRIX)).isEqualTo(ElementType.Q4_K);
    assertThat(mix.type("token_embd.weight", MATRIX)).isEqualTo(ElementType.Q6_K);
    assertThat(mix.type("blk.0.attn_norm.weight", Shape.of(512))).isEqualTo(ElementType.F32);
  }

  @Test
  void rowsThatAreTooShortGetSmallerBlocks() {
    WeightMix mix = new WeightMix(FileType.Q4_K_M, 16, 4, 0, false, false);
    assertThat(mix.type("blk.2.ffn_up.weight", Shape.of(4, 96))).isEqualTo(ElementType.Q5_0);
    assertThat(mix.type("blk.2.ffn_up.weight", Shape.of(4, 100))).isEqualTo(ElementType.F16);
  }
}
