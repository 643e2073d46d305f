package org.llamaj.convert;

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
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.Adapter;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.golden.AdapterForm;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.golden.HuggingFaceForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/** A model with adapters merged into it gives the logits that they give at run time. */
class MergeTest {
  private static final int[] PROMPT = {1, 35, 72, 101, 7, 55, 300, 12};

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void mergedAdaptersGiveTheLogitsOfAdaptersAtRunTime(boolean huggingFace) throws IOException {
    Path gguf = Path.of(resource("/golden/text/rope-linear-F32/model.gguf"));
    Path model = gguf;
    if (huggingFace) {
      model = Files.createDirectory(folder.resolve("hf"));
      HuggingFaceForm.write(gguf, model, Map.of("type", "linear", "factor", 4.0));
    }
    Path first = folder.resolve("first.gguf");
    Path second = Files.createDirectory(folder.resolve("second"));
    try (Checkpoint base = Checkpoint.open(gguf)) {
      AdapterForm.random(base, AdapterForm.Choice.all(4)).writeGguf(first, 8);
      AdapterForm.random(base, AdapterForm.Choice.all(3))
          .writePeft(second, Map.of("r", 3, "lora_alpha", 6));
    }
    Path merged = folder.resolve("merged.gguf");
    try (Checkpoint base = Checkpoint.open(model);
        AdapterCheckpoint one = AdapterCheckpoint.open(first);
        AdapterCheckpoint two = AdapterCheckpoint.open(second)) {
      Conversion.of(base).to(FileType.F32).merge(one, 0.5).merge(two, -0.25).write(merged);
    }
    float[][] expected;
    try (LlamaModel running = load(model);
        Adapter one = running.adapter(first);
        Adapter two = running.adapter(second)) {
      expected =
          logits(
              running,
              PROMPT,
              List.of(new AdapterUse(one.lowRank(), 0.5f), new AdapterUse(two.lowRank(), -0.25f)));
    }
    try (LlamaModel running = load(merged)) {
      float[][] found = logits(running, PROMPT, List.of());
      assertThat(GoldenAssertions.maxDifference(List.of(found), expected)).isLessThan(2e-4);
    }
    try (LlamaModel running = load(gguf)) {
      float[][] plain = logits(running, PROMPT, List.of());
      assertThat(GoldenAssertions.maxDifference(List.of(plain), expected)).isGreaterThan(0.1);
    }
  }

  @Test
  void theReferencesAdapterMergedGivesTheReferencesLogits() {
    List<GoldenCase> cases =
        GoldenCase.all("text", MergeTest.class).stream().filter(GoldenCase::isLora).toList();
    assumeTrue(!cases.isEmpty(), "no reference data");
    for (GoldenCase golden : cases) {
      Path file = golden.folder().resolve(golden.expected().get("lora").asString());
      Path merged = folder.resolve(golden.name() + ".gguf");
      try (Checkpoint base = Checkpoint.open(golden.model());
          AdapterCheckpoint adapter = AdapterCheckpoint.open(file)) {
        Conversion.of(base)
            .merge(adapter, golden.expected().get("lora_scale").asDouble())
            .write(merged);
      }
      try (LlamaModel model = load(merged)) {
        float[][] found = logits(model, golden.prompt(), List.of());
        assertThat(GoldenAssertions.maxDifference(List.of(found), golden.exactLogits()))
            .isLessThan(5e-4);
      }
    }
  }

  @Test
  void quantisedWeightsAreNotQuantisedAgainUnasked() throws IOException {
    Path gguf = Path.of(resource("/golden/text/rope-linear-F32/model.gguf"));
    Path small = folder.resolve("small.gguf");
    Path out = folder.resolve("out.gguf");
    Path file = folder.resolve("adapter.gguf");
    try (Checkpoint base = Checkpoint.open(gguf)) {
      AdapterForm.random(base, AdapterForm.Choice.all(4)).writeGguf(file, 8);
      Conversion.of(base).to(FileType.Q8_0).write(small);
    }
    try (Checkpoint base = Checkpoint.open(small);
        AdapterCheckpoint adapter = AdapterCheckpoint.open(file)) {
      assertThatThrownBy(() -> Conversion.of(base).merge(adapter, 1).write(out))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("is quantised already, as Q8_0");
      Conversion.of(base).requantize().merge(adapter, 1).write(out);
    }
    try (Checkpoint merged = Checkpoint.open(out)) {
      assertThat(merged.tensor("blk.0.attn_q.weight").type().name()).isEqualTo("Q8_0");
    }
  }

  @Test
  void adaptersOfOtherModelsAreRefused() throws IOException {
    Path gguf = Path.of(resource("/golden/text/rope-linear-F32/model.gguf"));
    Path other = Path.of(resource("/golden/text/llama2-spm-F32/model.gguf"));
    Path file = folder.resolve("adapter.gguf");
    try (Checkpoint base = Checkpoint.open(other)) {
      AdapterForm.random(base, AdapterForm.Choice.all(4)).writeGguf(file, 8);
    }
    try (Checkpoint base = Checkpoint.open(gguf);
        AdapterCheckpoint adapter = AdapterCheckpoint.open(file)) {
      assertThatThrownBy(() -> Conversion.of(base).merge(adapter, 1))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("the adapter is for another one");
    }
  }

  private static String resource(String name) {
    return MergeTest.class.getResource(name).getPath();
  }

  private static LlamaModel load(Path path) {
    return LlamaModel.builder(path).kernels("scalar").cacheType(CacheType.F32).threads(2).load();
  }

  private static float[][] logits(LlamaModel model, int[] prompt, List<AdapterUse> uses) {
    try (Sequence sequence = model.transformer().newSequence(uses)) {
      Batch batch = model.transformer().newBatch();
      for (int id : prompt) batch.add(sequence, id).wantLogits();
      model.transformer().forward(batch);
      float[][] logits = new float[prompt.length][];
      for (int i = 0; i < logits.length; i++) logits[i] = batch.logits(i).clone();
      return logits;
    }
  }
}
