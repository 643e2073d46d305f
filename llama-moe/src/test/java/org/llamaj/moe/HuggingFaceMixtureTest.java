package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;

/** Models with experts in directories as on Hugging Face, on every kernel provider. */
class HuggingFaceMixtureTest {
  private static final Map<String, ?> SCOUT_SCALING =
      Map.of(
          "rope_type", "llama3",
          "factor", 16.0,
          "low_freq_factor", 1.0,
          "high_freq_factor", 1.0,
          "original_max_position_embeddings", 8192);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"mixtral-F32", "llama4-scout-F32", "llama4-maverick-F32"})
  void theSameLogitsAsFromGguf(String name) {
    GoldenCase golden =
        GoldenCase.all("text", HuggingFaceMixtureTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElse(null);
    assumeThat(golden).as("reference data that is not committed").isNotNull();
    HuggingFaceForm.write(
        golden.model(), directory, name.contains("scout") ? SCOUT_SCALING : Map.of());
    for (String kernels : GoldenAssertions.usableKernels()) {
      float[][] ofGguf;
      try (LlamaModel gguf = load(golden.model(), kernels)) {
        ofGguf = GoldenAssertions.logits(gguf, golden.prompt(), 512).toArray(float[][]::new);
      }
      try (LlamaModel model = load(directory, kernels)) {
        List<float[]> logits = GoldenAssertions.logits(model, golden.prompt(), 512);
        assertThat(GoldenAssertions.maxDifference(logits, ofGguf)).as(kernels).isLessThan(1e-4);
        assertThat(GoldenAssertions.maxDifference(logits, golden.exactLogits()))
            .as(kernels)
            .isLessThan(2e-4);
        if (name.startsWith("mixtral")) {
          assertThat(model.checkpoint().derived()).isEmpty();
        } else {
          assertThat(model.describe()).contains("made at load", "transposed");
        }
      }
    }
  }

  /** Chunks, temperature, RoPE scaling and QK norm as config.json says, against transformers. */
  @ParameterizedTest
  @CsvSource({
    "scout, text-short", "scout, text", "scout, text-long",
    "maverick, text-short", "maverick, text", "maverick, text-long"
  })
  void theLogitsOfTransformers(String name, String prompt) throws IOException {
    Path models = Path.of(System.getProperty("golden.dir", ""), "vision/llama4-multimodal-tiny");
    assumeThat(Files.isDirectory(models)).as("reference data that is not committed").isTrue();
    Path folder = models.resolve(name);
    Path expected = folder.resolve("expected").resolve(prompt);
    ByteBuffer ids = read(expected.resolve("input_ids.i32"));
    int[] tokens = new int[ids.remaining() / 4];
    ids.asIntBuffer().get(tokens);
    float[][] logits = new float[tokens.length][384];
    ByteBuffer values = read(expected.resolve("logits.f32"));
    for (float[] row : logits) {
      for (int i = 0; i < row.length; i++) row[i] = values.getFloat();
    }
    try (LlamaModel model = load(folder.resolve("hf"), "scalar")) {
      assertThat(
              GoldenAssertions.maxDifference(GoldenAssertions.logits(model, tokens, 512), logits))
          .isLessThan(2e-4);
    }
  }

  private static ByteBuffer read(Path file) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static LlamaModel load(Path path, String kernels) {
    return LlamaModel.builder(path)
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .contextLength(1024)
        .threads(2)
        .load();
  }
}
