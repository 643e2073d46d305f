package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.transformer.AdapterUse;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** LoRA adapters, against llama.cpp's logits. */
class AdapterTest {
  @TempDir Path folder;

  private static Stream<GoldenCase> cases() {
    return GoldenCase.all("text", AdapterTest.class).stream().filter(GoldenCase::isLora);
  }

  private static Path file(GoldenCase c) {
    return c.folder().resolve(c.expected().get("lora").asString());
  }

  private static float scale(GoldenCase c) {
    return (float) c.expected().get("lora_scale").asDouble();
  }

  private static LlamaModel load(GoldenCase c, String kernels) {
    return LlamaModel.builder(c.model())
        .kernels(kernels)
        .threads(2)
        .cacheType(CacheType.F32)
        .load();
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void logitsAreThoseOfTheReference(String kernels) {
    List<GoldenCase> cases = cases().toList();
    assumeTrue(!cases.isEmpty(), "no reference data");
    for (GoldenCase c : cases) {
      try (LlamaModel model = load(c, kernels);
          Adapter adapter = model.adapter(file(c));
          Sequence sequence = newSequence(model, adapter, scale(c))) {
        assertLogits(c, run(model.transformer(), c.prompt(), sequence));
      }
    }
  }

  /** One batch, one pass: half of the scale, none, and all, beside each other. */
  @Test
  void sequencesOfOneBatchHaveTheirOwnAdapters() {
    List<GoldenCase> cases = cases().toList();
    assumeTrue(cases.size() == 2, "no reference data");
    GoldenCase first = cases.get(0);
    GoldenCase second = cases.get(1);
    try (LlamaModel model = load(first, "scalar");
        Adapter adapter = model.adapter(file(first));
        Adapter again = model.adapter(file(second));
        Sequence one = newSequence(model, adapter, scale(first));
        Sequence plain = model.transformer().newSequence();
        Sequence two = newSequence(model, again, scale(second));
        Sequence alone = model.transformer().newSequence()) {
      float[][] all = run(model.transformer(), first.prompt(), one, plain, two);
      int n = first.prompt().length;
      assertLogits(first, Arrays.copyOfRange(all, 0, n));
      assertLogits(second, Arrays.copyOfRange(all, 2 * n, 3 * n));
      assertThat(Arrays.copyOfRange(all, n, 2 * n))
          .isDeepEqualTo(run(model.transformer(), first.prompt(), alone));
    }
  }

  /** Two halves of an adapter are the whole adapter. */
  @Test
  void severalAdaptersAddUp() {
    GoldenCase c = cases().filter(x -> scale(x) == 1).findFirst().orElse(null);
    assumeTrue(c != null, "no reference data");
    try (LlamaModel model = load(c, "scalar");
        Adapter adapter = model.adapter(file(c));
        Adapter other = model.adapter(file(c));
        Sequence sequence =
            model
                .transformer()
                .newSequence(
                    List.of(
                        new AdapterUse(adapter.lowRank(), 0.75f),
                        new AdapterUse(other.lowRank(), 0.25f)))) {
      assertLogits(c, run(model.transformer(), c.prompt(), sequence));
    }
  }

  @Test
  void requestsNameAdaptersAndShareNoCacheWithoutThem() {
    GoldenCase c = cases().filter(x -> scale(x) == 1).findFirst().orElse(null);
    assumeTrue(c != null, "no reference data");
    try (LlamaModel model = load(c, "scalar");
        Adapter adapter = model.adapter(file(c))) {
      GenerationRequest plain = model.prompt(c.prompt()).maxTokens(8).temperature(0);
      GenerationRequest adapted = plain.adapter(adapter);
      List<Integer> withoutIt = plain.generate().tokens();
      List<Integer> withIt = adapted.generate().tokens();
      List<Integer> expected =
          Arrays.stream(c.ints("greedy")).limit(withIt.size()).boxed().toList();
      assertThat(withIt).isEqualTo(expected);
      assertThat(withoutIt).isNotEqualTo(withIt);
      assertThat(plain.generate().tokens()).isEqualTo(withoutIt);
      assertThat(plain.adapter(adapter, 0).generate().tokens()).isEqualTo(withoutIt);
    }
  }

  @Test
  void aSavedConversationGoesOnWithItsAdaptersOnly() {
    GoldenCase c = cases().filter(x -> scale(x) == 1).findFirst().orElse(null);
    assumeTrue(c != null, "no reference data");
    Path saved = folder.resolve("adapted.session");
    String expected;
    try (LlamaModel model = load(c, "scalar")) {
      Adapter adapter = model.adapter(file(c));
      try (ChatSession chat = chat(model).adapter(adapter, 0.5f).open()) {
        chat.send("Tell me of the fox and the owl. ".repeat(8));
        chat.save(saved);
        expected = chat.send("Go on.").text();
      }
    }
    try (LlamaModel model = load(c, "scalar")) {
      Adapter adapter = model.adapter(file(c));
      try (ChatSession restored = chat(model).adapter(adapter, 0.5f).restore(saved)) {
        Generation answer = restored.send("Go on.");
        assertThat(answer.text()).isEqualTo(expected);
        assertThat(answer.timings().promptTokens()).isLessThan(answer.promptTokens() / 2);
      }
      for (ChatBuilder other :
          List.of(
              chat(model),
              chat(model).adapter(adapter, 1),
              chat(model).adapter(adapter, 0.5f).adapter(adapter, 0.5f))) {
        assertThatThrownBy(() -> other.restore(saved))
            .isInstanceOf(LlamaException.class)
            .hasMessageContaining("in the same order and scale");
      }
    }
  }

  private static ChatBuilder chat(LlamaModel model) {
    return model.chat().temperature(0).maxTokens(12);
  }

  @Test
  void closedAdaptersAreRefusedAndModelsCloseTheirs() {
    GoldenCase c = cases().findFirst().orElse(null);
    assumeTrue(c != null, "no reference data");
    Adapter left;
    try (LlamaModel model = load(c, "scalar")) {
      Adapter adapter = model.adapter(file(c));
      left = model.adapter(file(c));
      adapter.close();
      adapter.close();
      assertThatThrownBy(() -> model.prompt(c.prompt()).adapter(adapter).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("is closed: keep it open while sequences use it");
      assertThat(model.prompt(c.prompt()).maxTokens(1).generate().tokens()).hasSize(1);
    }
    left.close();
  }

  @Test
  void modelsAndAdaptersAreToldApart() throws Exception {
    GoldenCase c = cases().findFirst().orElse(null);
    assumeTrue(c != null, "no reference data");
    assertThatThrownBy(() -> LlamaModel.load(file(c)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("an adapter is loaded on top of a model");
    try (LlamaModel model = load(c, "scalar");
        LlamaModel other = LlamaModel.load(TestModels.llama2())) {
      assertThatThrownBy(() -> model.adapter(c.model()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("general.type: expected adapter, found model");
      assertThatThrownBy(() -> other.adapter(file(c)))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("the adapter is for another one");
      try (Adapter adapter = model.adapter(file(c))) {
        assertThatThrownBy(() -> other.prompt(1).adapter(adapter))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("was loaded for another model");
      }
      Path damaged = folder.resolve("damaged.gguf");
      byte[] bytes = Files.readAllBytes(file(c));
      int place = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("lora_b");
      bytes[place + 5] = 'c';
      Files.write(damaged, bytes);
      assertThatThrownBy(() -> model.adapter(damaged))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("blk.0.attn_q.weight.lora_b");
    }
  }

  private static Sequence newSequence(LlamaModel model, Adapter adapter, float scale) {
    return model.transformer().newSequence(List.of(new AdapterUse(adapter.lowRank(), scale)));
  }

  private static float[][] run(Transformer transformer, int[] prompt, Sequence... sequences) {
    Batch batch = transformer.newBatch();
    for (Sequence sequence : sequences) {
      for (int id : prompt) {
        batch.add(sequence, id);
        batch.wantLogits();
      }
    }
    transformer.forward(batch);
    float[][] logits = new float[sequences.length * prompt.length][];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = batch.logits(i).clone();
    }
    return logits;
  }

  private static void assertLogits(GoldenCase c, float[][] found) {
    float[][] expected = c.exactLogits();
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        assertThat(found[row][i])
            .as("%s row %d id %d", c, row, i)
            .isCloseTo(expected[row][i], within(5e-4f));
      }
    }
  }
}
