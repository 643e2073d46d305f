package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.Adapter;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.golden.AdapterForm;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * Adapters of the attention of Llama 4, whose rows have the same order everywhere, and of Mixtral,
 * whose rows have not.
 */
class AdapterOnMixtureTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama4-scout-F32, false, false", "llama4-scout-F32, false, true",
    "llama4-scout-F32, true, false", "llama4-scout-F32, true, true",
    "mixtral-F32, false, true", "mixtral-F32, true, false",
  })
  void allFormsGiveTheLogitsOfMergedWeights(String name, boolean huggingFace, boolean peft)
      throws IOException {
    GoldenCase golden =
        GoldenCase.all("text", AdapterOnMixtureTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElseThrow();
    Path merged = folder.resolve("merged.gguf");
    Path adapter = Files.createDirectory(folder.resolve("adapter"));
    try (Checkpoint base = Checkpoint.open(golden.model())) {
      AdapterForm form = AdapterForm.random(base, AdapterForm.Choice.all(4));
      form.writeMerged(merged, 1);
      if (peft) {
        form.writePeft(adapter, Map.of("r", 4, "lora_alpha", 8));
      } else {
        adapter = folder.resolve("adapter.gguf");
        form.writeGguf(adapter, 8);
      }
    }
    Path model = golden.model();
    if (huggingFace) {
      model = Files.createDirectory(folder.resolve("model"));
      HuggingFaceForm.write(golden.model(), model, scaling(name));
    }
    int[] prompt = golden.prompt();
    try (LlamaModel running = load(model);
        LlamaModel expected = load(merged);
        Adapter loaded = running.adapter(adapter);
        Sequence sequence =
            running.transformer().newSequence(List.of(new AdapterUse(loaded.lowRank(), 1)))) {
      Batch batch = running.transformer().newBatch();
      for (int id : prompt) batch.add(sequence, id).wantLogits();
      running.transformer().forward(batch);
      float[][] found = new float[prompt.length][];
      for (int i = 0; i < found.length; i++) found[i] = batch.logits(i).clone();
      float[][] wanted = GoldenAssertions.logits(expected, prompt, 512).toArray(float[][]::new);
      assertThat(GoldenAssertions.maxDifference(List.of(found), wanted)).isLessThan(5e-4);
    }
  }

  private static Map<String, ?> scaling(String name) {
    return name.startsWith("llama4")
        ? Map.of(
            "rope_type", "llama3",
            "factor", 16.0,
            "low_freq_factor", 1.0,
            "high_freq_factor", 1.0,
            "original_max_position_embeddings", 8192)
        : Map.of();
  }

  private static LlamaModel load(Path path) {
    return LlamaModel.builder(path)
        .kernels("scalar")
        .cacheType(CacheType.F32)
        .contextLength(512)
        .threads(2)
        .load();
  }
}
