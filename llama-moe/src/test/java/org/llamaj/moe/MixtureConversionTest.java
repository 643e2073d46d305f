package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.golden.LlamaCpp;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;

/** Mixtures, written as on Hugging Face and converted back: the same tensors, the same logits. */
class MixtureConversionTest {
  private static final int CHUNK = 64;
  private static final String TEXT =
      "Once upon a time there was a brave fox who lived in the village. A sword is 12. ".repeat(4);

  @TempDir Path folder;

  private static GoldenCase golden(String name) {
    Optional<GoldenCase> found =
        GoldenCase.all("text", MixtureConversionTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst();
    assumeThat(found).as("reference data that is not committed").isPresent();
    return found.orElseThrow();
  }

  private static Map<String, ?> scaling(String name) {
    return name.contains("scout")
        ? Map.of(
            "rope_type", "llama3",
            "factor", 16.0,
            "low_freq_factor", 1.0,
            "high_freq_factor", 1.0,
            "original_max_position_embeddings", 8192)
        : Map.of();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral-F32", "llama4-scout-F32"})
  void directoriesComeBack(String name) throws Exception {
    GoldenCase golden = golden(name);
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(golden.model(), directory, scaling(name));
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
      Conversion.of(model).to(FileType.Q4_K_M).write(folder.resolve("small.gguf"));
    }
    try (Checkpoint found = Checkpoint.open(file);
        Checkpoint small = Checkpoint.open(folder.resolve("small.gguf"));
        Checkpoint expected = Checkpoint.open(golden.model())) {
      assertThat(found.tensors().stream().map(Tensor::name))
          .containsExactlyInAnyOrderElementsOf(
              expected.tensors().stream().map(Tensor::name).toList());
      for (Tensor tensor : expected.tensors()) {
        if (tensor.name().startsWith("rope")) continue; // computed, with other rounding
        assertThat(found.tensor(tensor.name()).shape()).isEqualTo(tensor.shape());
        assertThat(found.tensor(tensor.name()).data().mismatch(tensor.data()))
            .as(tensor.name())
            .isEqualTo(-1);
        assertThat(small.tensor(tensor.name()).shape()).isEqualTo(tensor.shape());
      }
    }
    float[][] ofDirectory = logits(directory, golden).toArray(float[][]::new);
    List<float[]> ofFile = logits(file, golden);
    assertThat(GoldenAssertions.maxDifference(ofFile, ofDirectory)).isLessThan(1e-4);
    assertThat(GoldenAssertions.maxDifference(ofFile, golden.exactLogits())).isLessThan(2e-4);
  }

  private static List<float[]> logits(Path model, GoldenCase golden) {
    try (LlamaModel loaded =
        LlamaModel.builder(model)
            .kernels("scalar")
            .cacheType(CacheType.F32)
            .contextLength(1024)
            .threads(2)
            .load()) {
      return GoldenAssertions.logits(loaded, golden.prompt(), 512);
    }
  }

  /**
   * llama.cpp predicts the same. It rounds activations to 8 bits where weights are quantised; so it
   * gets the quantised weights as single precision.
   */
  @ParameterizedTest
  @CsvSource({
    "mixtral-F32, F32", "mixtral-F32, Q8_0", "mixtral-F32, Q4_K_M",
    "llama4-scout-F32, F32", "llama4-scout-F32, Q8_0", "llama4-scout-F32, Q4_K_M",
    "llama4-maverick-F32, Q8_0"
  })
  void llamaCppPredictsTheSame(String name, FileType type) throws Exception {
    LlamaCpp peer = LlamaCpp.assumed();
    GoldenCase golden = golden(name);
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(golden.model(), directory, scaling(name));
    Path file = folder.resolve("model.gguf");
    Path exact = folder.resolve("exact.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(type).write(file);
    }
    try (Checkpoint model = Checkpoint.open(file)) {
      Conversion.of(model).to(FileType.F32).requantize().write(exact);
    }
    LlamaCpp.assertSame(peer.predict(exact, TEXT, CHUNK, folder), LlamaCpp.ours(file, TEXT, CHUNK));
    assertThat(peer.predict(file, TEXT, CHUNK, folder).ids()).isNotEmpty(); // it reads the types
  }
}
