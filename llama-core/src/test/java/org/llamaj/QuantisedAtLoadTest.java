package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;

/** Weights quantised at load are those of a file that was quantised before. */
class QuantisedAtLoadTest {
  private static final int[] PROMPT = {1, 35, 72, 101, 7, 55, 300, 12};

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K_M", "BF16", "F32"})
  void logitsAreThoseOfAQuantisedFile(FileType type) {
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(TestModels.small())) {
      Conversion.of(model).to(type).write(file);
    }
    try (LlamaModel expected = builder(file).load();
        LlamaModel found = builder(TestModels.small()).weights(type).load()) {
      assertThat(logits(found)).isDeepEqualTo(logits(expected));
    }
  }

  @Test
  void directoriesAndHugePagesGiveThemToo() throws IOException {
    Path file = folder.resolve("model.gguf");
    Path directory = Files.createDirectory(folder.resolve("hf"));
    HuggingFaceForm.write(TestModels.small(), directory, Map.of("type", "linear", "factor", 4.0));
    try (Checkpoint model = Checkpoint.open(TestModels.small())) {
      Conversion.of(model).to(FileType.Q4_0).write(file);
    }
    List<Double> fractions = new ArrayList<>();
    ModelBuilder builder = builder(directory).weights(FileType.Q4_0).onProgress(fractions::add);
    if (System.getProperty("os.name").equals("Linux")) {
      builder.residency(Residency.HUGE_PAGES);
    }
    try (LlamaModel expected = builder(file).load();
        LlamaModel found = builder.load()) {
      assertThat(GoldenAssertions.maxDifference(List.of(logits(found)), logits(expected)))
          .isLessThan(1e-4);
      assertThat(found.describe()).contains("quantised at load as in a file of Q4_0: ");
    }
    assertThat(fractions).isSorted().endsWith(1.0).hasSizeGreaterThan(10);
  }

  @Test
  void planAndDescriptionTellTheMemory() {
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(TestModels.small())) {
      Conversion.of(model).to(FileType.Q8_0).write(file);
    }
    ModelBuilder builder = builder(TestModels.small()).weights(FileType.Q8_0);
    MemoryPlan plan = builder.plan();
    assertThat(plan.weights()).isEqualTo(builder(file).plan().weights());
    assertThat(plan.weights()).isLessThan(builder(TestModels.small()).plan().weights() / 3);
    try (LlamaModel model = builder.load();
        Checkpoint smaller = Checkpoint.open(file)) {
      long bytes =
          smaller.descriptions().stream()
              .filter(tensor -> tensor.shape().rank() > 1)
              .mapToLong(TensorDescription::bytes)
              .sum();
      assertThat(model.describe())
          .contains(
              "quantised at load as in a file of Q8_0: Q8_0, %d MiB of private memory"
                  .formatted(bytes >> 20));
    }
  }

  @Test
  void whatIsQuantisedAlreadyIsRefused() {
    assumeThat(TestModels.quantised()).exists();
    assertThatThrownBy(() -> builder(TestModels.quantised()).weights(FileType.Q4_0).load())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected F32, F16 or BF16 to quantise at load, found Q8_0");
  }

  /** A saved session holds keys and values of the weights as they were. */
  @Test
  void sessionsAreNotTakenOverFromOtherWeights() {
    Path saved = folder.resolve("session");
    try (LlamaModel model = builder(TestModels.small()).load();
        ChatSession chat = model.chat().maxTokens(2).open()) {
      chat.send("Hello");
      chat.save(saved);
    }
    try (LlamaModel model = builder(TestModels.small()).weights(FileType.Q8_0).load()) {
      assertThatThrownBy(() -> model.chat().restore(saved)).isInstanceOf(LlamaException.class);
    }
  }

  private static ModelBuilder builder(Path path) {
    return LlamaModel.builder(path).kernels("scalar").cacheType(CacheType.F32).threads(2);
  }

  private static float[][] logits(LlamaModel model) {
    return GoldenAssertions.logits(model, PROMPT, 512).toArray(float[][]::new);
  }
}
