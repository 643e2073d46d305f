package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.golden.GgufEdit;
import org.llamaj.golden.GoldenAssertions;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;

/** Other files of the same models: unusual ones that run, and wrong ones that are refused. */
class MixtureFilesTest {
  private final GoldenCase mixtral = golden("mixtral-F32");
  private final GoldenCase scout = golden("llama4-scout-F32");
  private final GoldenCase maverick = golden("llama4-maverick-F32");

  @TempDir private Path folder;

  @Test
  void expertsInTensorsOfTheirOwn() {
    GgufEdit split = new GgufEdit().tensors(MixtureFilesTest::split);
    try (LlamaModel model = load(edited(mixtral, split))) {
      assertThat(
              GoldenAssertions.maxDifference(
                  GoldenAssertions.logits(model, mixtral.prompt(), 512), mixtral.exactLogits()))
          .isLessThan(2e-4);
    }
  }

  @Test
  void expertsAreQuantisedAtLoad() {
    Path file = folder.resolve("model.gguf");
    for (GoldenCase golden : List.of(mixtral, scout)) {
      try (Checkpoint model = Checkpoint.open(golden.model())) {
        Conversion.of(model).to(FileType.Q8_0).write(file);
      }
      try (LlamaModel expected = load(file);
          LlamaModel found =
              LlamaModel.builder(golden.model())
                  .kernels("scalar")
                  .cacheType(CacheType.F32)
                  .threads(2)
                  .weights(FileType.Q8_0)
                  .load()) {
        assertThat(GoldenAssertions.logits(found, golden.prompt(), 512).toArray(float[][]::new))
            .isDeepEqualTo(
                GoldenAssertions.logits(expected, golden.prompt(), 512).toArray(float[][]::new));
      }
    }
  }

  @Test
  void smallAttentionChunks() {
    Path file = edited(scout, new GgufEdit().set("llama4.attention.sliding_window", 16));
    try (LlamaModel model = load(file)) {
      List<float[]> logits = GoldenAssertions.logits(model, scout.prompt(), 512);
      for (int batch : new int[] {1, 7}) {
        float[][] expected = logits.toArray(float[][]::new);
        assertThat(
                GoldenAssertions.maxDifference(
                    GoldenAssertions.logits(model, scout.prompt(), batch), expected))
            .isLessThan(1e-5);
      }
      float[][] unchunked = scout.exactLogits();
      for (int row = 0; row < unchunked.length; row++) {
        double difference =
            GoldenAssertions.maxDifference(
                List.of(logits.get(row)), new float[][] {unchunked[row]});
        if (row < 16) {
          assertThat(difference).as("row %d", row).isLessThan(2e-4);
        } else {
          assertThat(difference).as("row %d", row).isGreaterThan(1e-2);
        }
      }
    }
  }

  /** Llama Guard 4 is what is left of Scout without its routed experts. */
  @Test
  void nothingButTheSharedExpert() {
    GgufEdit silent = new GgufEdit().tensors(t -> Stream.of(zeroIf(t, "ffn_down_exps.weight")));
    GgufEdit dense =
        new GgufEdit()
            .set("llama4.expert_count", 0)
            .set("llama4.feed_forward_length", 32)
            .drop("_exps.weight")
            .drop("ffn_gate_inp.weight")
            .tensors(t -> Stream.of(named(t, t.name().replace("_shexp", ""))));
    int[] prompt = scout.prompt();
    try (LlamaModel mixture = load(edited(scout, silent));
        LlamaModel guard = load(edited(scout, dense))) {
      assertThat(
              GoldenAssertions.maxDifference(
                  GoldenAssertions.logits(guard, prompt, 512),
                  GoldenAssertions.logits(mixture, prompt, 512).toArray(float[][]::new)))
          .isLessThan(1e-5);
    }
  }

  /** A window of 0 turns chunks off; a pattern keeps the layers without positions. */
  @Test
  void noAttentionChunks() {
    GgufEdit edit =
        new GgufEdit()
            .set("llama4.attention.sliding_window", 0)
            .set("llama4.attention.sliding_window_pattern", 4);
    try (LlamaModel model = load(edited(scout, edit))) {
      assertThat(model.transformer().configuration().interleaved().chunk()).isZero();
      assertThat(
              GoldenAssertions.maxDifference(
                  GoldenAssertions.logits(model, scout.prompt(), 512), scout.exactLogits()))
          .isLessThan(2e-4);
    }
  }

  @Test
  void refusesMoreExpertsUsedThanThereAre() {
    assertRefused(
        mixtral,
        new GgufEdit().set("llama.expert_used_count", 9),
        "llama.expert_used_count",
        "from 1 to 8",
        "9");
  }

  @Test
  void refusesANumberOfExpertsThatTheTensorsDoNotHave() {
    assertRefused(
        mixtral,
        new GgufEdit().set("llama.expert_count", 4),
        "blk.0.ffn_gate_inp.weight",
        "[4, 64]",
        "[8, 64]");
    assertRefused(
        mixtral,
        new GgufEdit().tensors(MixtureFilesTest::split).drop("blk.1.ffn_up.5.weight"),
        "blk.1.ffn_up.5.weight",
        "found none");
  }

  @Test
  void refusesARouterOfAnotherWidth() {
    GgufEdit halves =
        new GgufEdit()
            .tensors(
                t ->
                    Stream.of(
                        t.name().equals("blk.2.ffn_gate_inp.weight")
                            ? new Tensor(
                                t.name(),
                                t.type(),
                                org.llamaj.tensor.Shape.of(8, 32),
                                t.data().asSlice(0, 8 * 32 * 4))
                            : t));
    assertRefused(mixtral, halves, "blk.2.ffn_gate_inp.weight", "[8, 64]", "[8, 32]");
  }

  @Test
  void refusesAMissingSharedExpert() {
    assertRefused(
        scout,
        new GgufEdit().drop("ffn_up_shexp.weight"),
        "blk.0.ffn_up_shexp.weight",
        "[32, 64]",
        "found none");
  }

  @Test
  void refusesMissingDenseLayersBetween() {
    assertRefused(
        maverick,
        new GgufEdit().set("llama4.interleave_moe_layer_step", 1),
        "blk.0.ffn_gate_inp.weight",
        "found none");
    assertRefused(
        maverick,
        new GgufEdit().set("llama4.interleave_moe_layer_step", 0),
        "llama4.interleave_moe_layer_step",
        "from 1 to 4");
  }

  @Test
  void aRouterThatGivesNoNumbersEndsTheForwardPass() {
    GgufEdit poison = new GgufEdit().tensors(t -> Stream.of(nanIf(t, "blk.1.ffn_gate_inp.weight")));
    try (LlamaModel model = load(edited(mixtral, poison))) {
      assertThatThrownBy(() -> GoldenAssertions.logits(model, mixtral.prompt(), 512))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("blk.1.ffn_gate_inp.weight")
          .hasMessageContaining("finite");
    }
  }

  private void assertRefused(GoldenCase golden, GgufEdit edit, String... inMessage) {
    Path file = edited(golden, edit);
    assertThatThrownBy(() -> load(file).close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContainingAll(inMessage)
        .hasMessageContaining(file.getFileName().toString());
  }

  private Path edited(GoldenCase golden, GgufEdit edit) {
    return edit.write(
        golden.model(), folder.resolve(System.nanoTime() + "-" + golden.name() + ".gguf"));
  }

  private static LlamaModel load(Path file) {
    return LlamaModel.builder(file)
        .kernels("scalar")
        .cacheType(CacheType.F32)
        .contextLength(1024)
        .threads(1)
        .load();
  }

  private static Stream<Tensor> split(Tensor tensor) {
    String ending = "_exps.weight";
    if (!tensor.name().endsWith(ending)) {
      return Stream.of(tensor);
    }
    String name = tensor.name().substring(0, tensor.name().length() - ending.length());
    return IntStream.range(0, (int) tensor.shape().size(0))
        .mapToObj(e -> named(tensor.slice(e), "%s.%d.weight".formatted(name, e)));
  }

  private static Tensor named(Tensor tensor, String name) {
    return new Tensor(name, tensor.type(), tensor.shape(), tensor.data());
  }

  private static Tensor zeroIf(Tensor tensor, String ending) {
    return tensor.name().endsWith(ending)
        ? with(tensor, Arena.ofAuto().allocate(tensor.data().byteSize()))
        : tensor;
  }

  private static Tensor nanIf(Tensor tensor, String name) {
    if (!tensor.name().equals(name)) {
      return tensor;
    }
    MemorySegment data = Arena.ofAuto().allocate(tensor.data().byteSize()).copyFrom(tensor.data());
    data.setAtIndex(ValueLayout.JAVA_FLOAT, 3, Float.NaN);
    return with(tensor, data);
  }

  private static Tensor with(Tensor tensor, MemorySegment data) {
    return new Tensor(tensor.name(), tensor.type(), tensor.shape(), data);
  }

  private static GoldenCase golden(String name) {
    return GoldenCase.all("text", MixtureFilesTest.class).stream()
        .filter(golden -> golden.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
