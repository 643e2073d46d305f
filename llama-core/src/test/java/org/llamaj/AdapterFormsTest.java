package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.golden.AdapterForm;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * Adapters as GGUF and as PEFT writes them, on models as GGUF and as on Hugging Face, whose query
 * and key rows have different orders: all give what the weights give to which they were added.
 */
class AdapterFormsTest {
  private static final int[] PROMPT = {1, 35, 72, 101, 7, 55, 300, 12};

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama2, false, false", "llama2, false, true", "llama2, true, false", "llama2, true, true",
    "small, false, false", "small, false, true", "small, true, false", "small, true, true",
  })
  void allFormsGiveTheLogitsOfMergedWeights(String name, boolean huggingFace, boolean peft)
      throws IOException {
    Path gguf = name.equals("small") ? TestModels.small() : TestModels.llama2();
    Path merged = folder.resolve("merged.gguf");
    Path adapter = Files.createDirectory(folder.resolve("adapter"));
    try (Checkpoint base = Checkpoint.open(gguf)) {
      AdapterForm form = AdapterForm.random(base, AdapterForm.Choice.all(4));
      form.writeMerged(merged, 0.7);
      if (peft) {
        form.writePeft(adapter, Map.of("r", 4, "lora_alpha", 8));
      } else {
        adapter = folder.resolve("adapter.gguf");
        form.writeGguf(adapter, 8);
      }
    }
    Path model = gguf;
    if (huggingFace) {
      model = Files.createDirectory(folder.resolve("model"));
      Map<String, ?> scaling =
          name.equals("small") ? Map.of("type", "linear", "factor", 4.0) : Map.of();
      HuggingFaceForm.write(gguf, model, scaling);
    }
    assertLogits(model, adapter, 0.7f, merged);
  }

  @Test
  void ranksAndAlphasOfModulesCountAsInPeft() throws IOException {
    AdapterForm.Choice choice =
        new AdapterForm.Choice() {
          @Override
          public int rank(int layer, String projection) {
            if (projection.startsWith("ffn")) return 0;
            return projection.equals("attn_q") ? 2 : layer == 1 ? 9 : 4;
          }

          @Override
          public double scaling(int layer, String projection) {
            double alpha = layer == 0 && projection.equals("attn_v") ? 5 : 6;
            return alpha / Math.sqrt(rank(layer, projection));
          }
        };
    Path merged = folder.resolve("merged.gguf");
    Path adapter = Files.createDirectory(folder.resolve("adapter"));
    try (Checkpoint base = Checkpoint.open(TestModels.llama2())) {
      AdapterForm form = AdapterForm.random(base, choice);
      form.writeMerged(merged, 1);
      form.writePeft(
          adapter,
          Map.of(
              "r",
              4,
              "lora_alpha",
              6,
              "use_rslora",
              true,
              "target_modules",
              ".*self_attn\\.[qkvo]_proj",
              "rank_pattern",
              Map.of("q_proj", 2, "layers\\.1\\.self_attn\\.[kvo]_proj", 9),
              "alpha_pattern",
              Map.of("model.layers.0.self_attn.v_proj", 5)));
    }
    assertLogits(TestModels.llama2(), adapter, 1, merged);
    assertLogits(TestModels.llama2(), adapter.resolve("adapter_model.safetensors"), 1, merged);
    assertLogits(TestModels.llama2(), adapter.resolve("adapter_config.json"), 1, merged);
  }

  /** The reference's adapter is GGUF, its model too: it has to give the same on the other form. */
  @Test
  void theReferencesAdapterRunsOnADirectory() throws IOException {
    GoldenCase golden =
        GoldenCase.all("text", AdapterFormsTest.class).stream()
            .filter(c -> c.name().equals("lora-scale1"))
            .findFirst()
            .orElse(null);
    assumeTrue(golden != null, "no reference data");
    Map<String, ?> scaling =
        Map.of(
            "rope_type", "llama3",
            "factor", 32.0,
            "low_freq_factor", 1.0,
            "high_freq_factor", 4.0,
            "original_max_position_embeddings", 8192);
    HuggingFaceForm.write(golden.model(), folder, scaling);
    float[][] found = logits(folder, golden.folder().resolve("adapter.gguf"), 1, golden.prompt());
    assertThat(GoldenAssertions.maxDifference(List.of(found), golden.exactLogits()))
        .isLessThan(5e-4);
  }

  record Refusal(Map<String, ?> config, String message) {
    @Override
    public String toString() {
      return config.toString();
    }
  }

  static List<Refusal> refusals() {
    return List.of(
        new Refusal(Map.of("use_dora", true), "use_dora: expected none: DoRA is not supported"),
        new Refusal(Map.of("bias", "all"), "bias: expected none"),
        new Refusal(Map.of("lora_bias", true), "a bias beside B is not supported"),
        new Refusal(
            Map.of("modules_to_save", List.of("lm_head")),
            "modules_to_save: expected none: modules that were trained whole is not supported"),
        new Refusal(Map.of("fan_in_fan_out", true), "transposed weights"),
        new Refusal(Map.of("layer_replication", List.of(List.of(0, 2))), "layer_replication"),
        new Refusal(Map.of("trainable_token_indices", List.of(1)), "trainable_token_indices"),
        new Refusal(Map.of("init_lora_weights", "pissa_niter_16"), "model as it is published"),
        new Refusal(Map.of("peft_type", "IA3"), "peft_type: expected LORA, found \"IA3\""),
        new Refusal(Map.of("r", 0), "r: expected an integer from 1"),
        new Refusal(Map.of("r", 3), "A of [3, inputs] and B of [outputs, 3]"),
        new Refusal(Map.of("lora_alpha", "big"), "lora_alpha: expected a number"),
        new Refusal(Map.of("target_modules", List.of("q_proj")), "target_modules"),
        new Refusal(Map.of("target_modules", "(((.*)*)*)*x"), "quick to match"),
        new Refusal(Map.of("target_modules", "("), "expected regular expressions"),
        new Refusal(Map.of("rank_pattern", Map.of("q_proj", -1)), "rank_pattern.q_proj"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void whatIsNotSupportedIsRefusedByName(Refusal refusal) throws IOException {
    try (Checkpoint base = Checkpoint.open(TestModels.small());
        LlamaModel model = load(TestModels.small())) {
      AdapterForm form = AdapterForm.random(base, AdapterForm.Choice.all(4));
      Path good = Files.createDirectory(folder.resolve("good"));
      form.writePeft(good, Map.of("r", 4, "lora_alpha", 8));
      model.adapter(good).close();
      form.writePeft(folder, merge(Map.of("r", 4, "lora_alpha", 8), refusal.config));
      assertThatThrownBy(() -> model.adapter(folder))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(refusal.message);
    }
  }

  @Test
  void missingFilesAndAdaptersOfOtherModelsAreRefused() throws IOException {
    try (LlamaModel model = load(TestModels.small())) {
      assertThatThrownBy(() -> model.adapter(folder))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("found no adapter_config.json");
      try (Checkpoint base = Checkpoint.open(TestModels.llama2())) {
        AdapterForm.random(base, AdapterForm.Choice.all(4))
            .writePeft(folder, Map.of("r", 4, "lora_alpha", 8));
      }
      assertThatThrownBy(() -> model.adapter(folder))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("the adapter is for another");
      Path weights = folder.resolve("adapter_model.safetensors");
      Files.move(weights, folder.resolve("adapter_model.bin"));
      assertThatThrownBy(() -> model.adapter(folder))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("save the adapter as safetensors");
    }
  }

  private static Map<String, Object> merge(Map<String, ?> a, Map<String, ?> b) {
    Map<String, Object> both = new java.util.HashMap<>(a);
    both.putAll(b);
    return both;
  }

  private static void assertLogits(Path model, Path adapter, float scale, Path merged) {
    float[][] found = logits(model, adapter, scale, PROMPT);
    float[][] expected;
    try (LlamaModel reference = load(merged)) {
      expected = GoldenAssertions.logits(reference, PROMPT, 512).toArray(float[][]::new);
    }
    assertThat(GoldenAssertions.maxDifference(List.of(found), expected)).isLessThan(2e-4);
    assertThat(GoldenAssertions.maxDifference(List.of(logits(model, null, 0, PROMPT)), expected))
        .as("the adapter changes something")
        .isGreaterThan(0.1);
  }

  private static LlamaModel load(Path path) {
    return LlamaModel.builder(path).kernels("scalar").cacheType(CacheType.F32).threads(2).load();
  }

  private static float[][] logits(Path path, Path adapterPath, float scale, int[] prompt) {
    try (LlamaModel model = load(path);
        Sequence sequence =
            model
                .transformer()
                .newSequence(
                    adapterPath == null
                        ? List.of()
                        : List.of(new AdapterUse(model.adapter(adapterPath).lowRank(), scale)))) {
      Batch batch = model.transformer().newBatch();
      for (int id : prompt) batch.add(sequence, id).wantLogits();
      model.transformer().forward(batch);
      float[][] logits = new float[prompt.length][];
      for (int i = 0; i < logits.length; i++) logits[i] = batch.logits(i).clone();
      return logits;
    }
  }
}
