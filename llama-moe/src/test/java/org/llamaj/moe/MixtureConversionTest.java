package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;

/** Mixtures, written as on Hugging Face and converted back: the same tensors, the same logits. */
class MixtureConversionTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"mixtral-F32", "llama4-scout-F32"})
  void directoriesComeBack(String name) throws Exception {
    GoldenCase golden =
        GoldenCase.all("text", MixtureConversionTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElseThrow();
    Path directory = Files.createDirectory(folder.resolve("hf"));
    Map<String, ?> scaling =
        name.startsWith("llama4")
            ? Map.of(
                "rope_type", "llama3",
                "factor", 16.0,
                "low_freq_factor", 1.0,
                "high_freq_factor", 1.0,
                "original_max_position_embeddings", 8192)
            : Map.of();
    HuggingFaceForm.write(golden.model(), directory, scaling);
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
    try (LlamaModel model =
        LlamaModel.builder(file)
            .kernels("scalar")
            .cacheType(CacheType.F32)
            .contextLength(1024)
            .threads(2)
            .load()) {
      assertThat(
              GoldenAssertions.maxDifference(
                  GoldenAssertions.logits(model, golden.prompt(), 512), golden.exactLogits()))
          .isLessThan(2e-4);
    }
  }
}
