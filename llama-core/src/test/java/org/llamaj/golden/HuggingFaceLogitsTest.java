package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.SpecialTokens;

/** The same models as directories of safetensors and as GGUF. */
class HuggingFaceLogitsTest {
  @TempDir Path directory;

  static List<String> kernels() {
    return GoldenAssertions.usableKernels();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void linearScaling(String kernels) {
    assertSameLogits(
        "rope-linear-F32", kernels, golden -> Map.of("type", "linear", "factor", factor(golden)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void yarnScaling(String kernels) {
    assertSameLogits(
        "rope-yarn-F32",
        kernels,
        golden ->
            Map.of(
                "rope_type",
                "yarn",
                "factor",
                factor(golden),
                "original_max_position_embeddings",
                original(golden)));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void untiedWithoutScaling(String kernels) {
    assertSameLogits("llama2-spm-F32", kernels, _ -> Map.of());
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void llama3Scaling(String kernels) {
    assertSameLogits(
        "llama32-bpe-F32",
        kernels,
        _ ->
            Map.of(
                "rope_type",
                "llama3",
                "factor",
                32.0,
                "low_freq_factor",
                1.0,
                "high_freq_factor",
                4.0,
                "original_max_position_embeddings",
                8192));
  }

  private interface Scaling {
    Map<String, ?> of(Checkpoint gguf);
  }

  private static double factor(Checkpoint gguf) {
    return gguf.metadata().requireNumber("llama.rope.scaling.factor");
  }

  private static int original(Checkpoint gguf) {
    return gguf.metadata()
        .requireInt("llama.rope.scaling.original_context_length", 1, Integer.MAX_VALUE);
  }

  private void assertSameLogits(String name, String kernels, Scaling scaling) {
    GoldenCase golden =
        GoldenCase.all("text", HuggingFaceLogitsTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElse(null);
    assumeThat(golden).as("reference data that is not committed").isNotNull();
    try (Checkpoint gguf = Checkpoint.open(golden.model())) {
      HuggingFaceForm.write(golden.model(), directory, scaling.of(gguf));
    }
    float[][] ofGguf;
    try (LlamaModel gguf = load(golden.model(), kernels)) {
      ofGguf = GoldenAssertions.logits(gguf, golden.prompt(), 512).toArray(float[][]::new);
    }
    try (LlamaModel model = load(directory, kernels)) {
      List<float[]> logits = GoldenAssertions.logits(model, golden.prompt(), 512);
      assertThat(GoldenAssertions.maxDifference(logits, ofGguf)).isLessThan(1e-4);
      assertThat(GoldenAssertions.maxDifference(logits, golden.exactLogits())).isLessThan(2e-4);
      assertThat(model.checkpoint().derived()).isEmpty();
      assertThat(model.checkpoint().files()).hasSize(2);
      assertThat(model.checkpoint().tensors())
          .extracting(Tensor::name)
          .contains("output_norm.weight");
    }
  }

  private static LlamaModel load(Path path, String kernels) {
    return LlamaModel.builder(path)
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .contextLength(1024)
        .threads(2)
        .load();
  }

  @Test
  void theDemoModelIsTheSameInBothForms() throws IOException {
    Path demo = Path.of(System.getProperty("golden.dir", ""), "../demo-model");
    assumeThat(Files.isDirectory(demo)).as("reference data that is not committed").isTrue();
    try (LlamaModel gguf = load(demo.resolve("emberbrook-3m-f16.gguf"), "scalar");
        LlamaModel directory = load(demo.resolve("hf"), "scalar")) {
      String text = "How much for a sword and a shield? \u00e9\u4e2d <|eot_id|>";
      int[] ids = gguf.tokenizer().encodePrompt(text, SpecialTokens.none());
      assertThat(directory.tokenizer().encodePrompt(text, SpecialTokens.none())).isEqualTo(ids);
      float[][] expected = GoldenAssertions.logits(gguf, ids, 512).toArray(float[][]::new);
      // The norms' weights are in half precision in one file and in single in the other.
      assertThat(
              GoldenAssertions.maxDifference(
                  GoldenAssertions.logits(directory, ids, 512), expected))
          .isLessThan(0.05);
      assertThat(answer(directory)).isEqualTo(answer(gguf)).isNotEmpty();
      for (int id = 0; id < gguf.tokenizer().vocabularySize(); id++) {
        assertThat(directory.tokenizer().isEndOfGeneration(id))
            .isEqualTo(gguf.tokenizer().isEndOfGeneration(id));
      }
    }
  }

  private static String answer(LlamaModel model) {
    try (var chat = model.chat().temperature(0).open()) {
      return chat.send("How much for a sword and a shield?").text();
    }
  }
}
