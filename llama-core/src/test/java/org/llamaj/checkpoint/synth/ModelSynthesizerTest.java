package org.llamaj.checkpoint.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

class ModelSynthesizerTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void weightsOfEveryTypeHaveTheDeviationThatKeepsActivationsInBounds(FileType fileType) {
    for (ModelPreset preset : List.of(ModelPreset.TINY_DENSE, ModelPreset.TINY_MOE)) {
      try (Checkpoint checkpoint = GgufReader.open(write(preset, fileType, 1))) {
        for (Tensor tensor : checkpoint.tensors()) {
          if (tensor.name().startsWith("blk.0.") && tensor.shape().rank() > 1) {
            assertStandardised(tensor);
          }
        }
      }
    }
  }

  /** Mean 0, standard deviation 1 / sqrt(columns). */
  private static void assertStandardised(Tensor tensor) {
    float[] row = new float[(int) tensor.columns()];
    double sum = 0;
    double squares = 0;
    for (long i = 0; i < tensor.rows(); i++) {
      Dequantizer.dequantizeRow(tensor, i, row, 0);
      for (float value : row) {
        sum += value;
        squares += (double) value * value;
      }
    }
    double count = tensor.shape().elements();
    double expected = 1 / Math.sqrt(row.length);
    double tolerance = 0.05 + 4 / Math.sqrt(count);
    assertThat(Math.sqrt(squares / count) / expected)
        .as("%s %s deviation", tensor.type(), tensor.name())
        .isCloseTo(1, within(tolerance));
    assertThat(sum / count / expected)
        .as("%s %s mean", tensor.type(), tensor.name())
        .isCloseTo(0, within(tolerance));
  }

  @Test
  void tellsBeforehandHowMuchItWillWrite() {
    ModelShape shape = ModelPreset.TINY_MOE.shape();
    long bytes = new ModelSynthesizer(shape, FileType.Q4_K_M, 1).bytes();
    try (Checkpoint checkpoint = GgufReader.open(write(ModelPreset.TINY_MOE, FileType.Q4_K_M, 1))) {
      assertThat(checkpoint.tensors().stream().mapToLong(tensor -> tensor.data().byteSize()).sum())
          .isEqualTo(bytes);
    }
  }

  @Test
  void theSameSeedGivesTheSameFile() {
    Path first = write(ModelPreset.TINY_DENSE, FileType.Q4_K_M, 1);
    Path second = folder.resolve("second.gguf");
    ModelShape shape = ModelPreset.TINY_DENSE.shape();
    new ModelSynthesizer(shape, FileType.Q4_K_M, 1).write(second, (bytes, total) -> {});
    assertThat(second).hasSameBinaryContentAs(first);
    new ModelSynthesizer(shape, FileType.Q4_K_M, 2).write(second, (bytes, total) -> {});
    try (Checkpoint one = GgufReader.open(first);
        Checkpoint other = GgufReader.open(second)) {
      assertThat(
              one.tensor("output_norm.weight")
                  .data()
                  .mismatch(other.tensor("output_norm.weight").data()))
          .isEqualTo(-1);
      assertThat(
              one.tensor("token_embd.weight")
                  .data()
                  .mismatch(other.tensor("token_embd.weight").data()))
          .isNotEqualTo(-1);
    }
  }

  @Test
  void progressEndsWithAllBytes() {
    long[] last = new long[2];
    new ModelSynthesizer(ModelPreset.TINY_DENSE.shape(), FileType.Q8_0, 1)
        .write(
            folder.resolve("progress.gguf"),
            (bytes, total) -> {
              assertThat(bytes).isGreaterThan(last[0]);
              last[0] = bytes;
              last[1] = total;
            });
    assertThat(last[0]).isPositive().isEqualTo(last[1]);
  }

  @Test
  void bytesAreWrittenAsLlama3WritesThem() {
    byte[][] tokens = SyntheticVocabulary.of(ModelPreset.TINY_DENSE.shape(), 1).tokens();
    assertThat(new String(tokens[0], StandardCharsets.UTF_8)).isEqualTo("!");
    assertThat(new String(tokens[93], StandardCharsets.UTF_8)).isEqualTo("~");
    assertThat(new String(tokens[220], StandardCharsets.UTF_8)).isEqualTo("Ġ");
    assertThat(new String(tokens[198], StandardCharsets.UTF_8)).isEqualTo("Ċ");
  }

  @Test
  void controlTokensHaveTheNumbersOfLlama3() {
    SyntheticVocabulary vocabulary = SyntheticVocabulary.of(ModelPreset.LLAMA_3_2_1B.shape(), 1);
    assertThat(vocabulary.tokens()).hasNumberOfRows(128_256);
    assertThat(vocabulary.bos()).isEqualTo(128_000);
    assertThat(vocabulary.eot()).isEqualTo(128_009);
    assertThat(new String(vocabulary.tokens()[128_009], StandardCharsets.UTF_8))
        .isEqualTo("<|eot_id|>");
    Set<String> unique = new HashSet<>();
    Arrays.stream(vocabulary.tokens())
        .forEach(token -> unique.add(new String(token, StandardCharsets.UTF_8)));
    assertThat(unique).hasSize(128_256);
    assertThat(vocabulary.merges()).hasNumberOfRows(128_000 - 256);
  }

  @Test
  void presetsAreFoundByName() {
    assertThat(ModelPreset.of("llama-3.2-1b")).isEqualTo(ModelPreset.LLAMA_3_2_1B);
    assertThatThrownBy(() -> ModelPreset.of("llama-9"))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("tiny-moe");
  }

  @Test
  void expertsAreThreeDimensional() {
    try (Checkpoint checkpoint = GgufReader.open(write(ModelPreset.TINY_MOE, FileType.Q4_0, 1))) {
      assertThat(checkpoint.tensor("blk.0.ffn_down_exps.weight").shape())
          .isEqualTo(Shape.of(8, 256, 512));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "Q4_0", "Q8_0"})
  void layersWithoutEffectLeaveWhatTheOthersSay(FileType type) {
    ModelShape shape = ModelPreset.TINY_DENSE.shape();
    List<Integer> draft = text(new ModelSynthesizer(shape.withLayers(1), type, 1));
    assertThat(text(new ModelSynthesizer(shape, type, 1, 1))).isEqualTo(draft);
    assertThat(text(new ModelSynthesizer(shape, type, 1))).isNotEqualTo(draft);
    assertThat(new ModelSynthesizer(shape, type, 1, 1).bytes())
        .isEqualTo(new ModelSynthesizer(shape, type, 1).bytes());
    assertThatThrownBy(() -> new ModelSynthesizer(shape, type, 1, 5))
        .hasMessage("effective layers: expected 1 to 4, found 5");
    assertThatThrownBy(() -> shape.withLayers(0)).hasMessageContaining("at least 1");
  }

  private List<Integer> text(ModelSynthesizer recipe) {
    Path file = folder.resolve("text.gguf");
    recipe.write(file, (bytes, total) -> {});
    try (LlamaModel model = LlamaModel.builder(file).kernels("scalar").load()) {
      return model.prompt(5, 17, 200).temperature(0).maxTokens(20).generate().tokens();
    }
  }

  private Path write(ModelPreset preset, FileType fileType, long seed) {
    Path file = folder.resolve(preset.shape().name() + ".gguf");
    new ModelSynthesizer(preset.shape(), fileType, seed).write(file, (bytes, total) -> {});
    return file;
  }
}
