package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;

/** Models as Meta publishes them: the same logits as from GGUF, and damaged files refused. */
class MetaReaderTest {
  private static final String PARAMS =
      "{\"dim\":2,\"n_layers\":1,\"n_heads\":1,\"norm_eps\":1e-5,\"vocab_size\":-1}";

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "llama2-spm-F32, 1, false",
    "llama2-spm-F32, 2, false",
    "llama2-spm-F32, 4, true",
    "llama2-spm-F32, 8, false",
    "llama2-spm-F32, 8, true",
    "llama32-bpe-F32, 2, true",
    "llama32-bpe-F32, 8, true"
  })
  void theSameLogitsAsFromGguf(String name, int files, boolean embeddingByRows) {
    GoldenCase golden =
        GoldenCase.all("text", MetaReaderTest.class).stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElse(null);
    assumeThat(golden).as("reference data that is not committed").isNotNull();
    MetaForm.write(golden.model(), directory, files, embeddingByRows);
    for (String kernels : GoldenAssertions.usableKernels()) {
      float[][] expected;
      try (LlamaModel gguf = load(golden.model(), kernels)) {
        expected = GoldenAssertions.logits(gguf, golden.prompt(), 512).toArray(float[][]::new);
      }
      int[] begin = Arrays.copyOf(golden.prompt(), 20);
      try (LlamaModel model = load(directory, kernels)) {
        List<float[]> logits = GoldenAssertions.logits(model, golden.prompt(), 512);
        assertThat(GoldenAssertions.maxDifference(logits, expected)).isLessThan(1e-4);
        assertThat(GoldenAssertions.maxDifference(logits, golden.exactLogits())).isLessThan(2e-4);
        List<float[]> single = GoldenAssertions.logits(model, begin, 1);
        assertThat(GoldenAssertions.maxDifference(single, Arrays.copyOf(expected, begin.length)))
            .isLessThan(1e-4);
        assertThat(model.checkpoint().derived().isEmpty()).isEqualTo(files == 1);
        assertThat(model.describe()).doesNotContain("made at load");
        assertThat(model.checkpoint().files()).hasSize(files);
      }
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

  private static TorchFile torch() {
    return new TorchFile();
  }

  /** A model of one layer, whose network is 3 wide; with 2 tokens. */
  private static TorchFile model() {
    TorchFile file = torch();
    for (String square : List.of("wq", "wk", "wv", "wo")) {
      file.add("layers.0.attention." + square + ".weight", "FloatStorage", shape(2, 2), bytes(16));
    }
    return file.add("layers.0.attention_norm.weight", "FloatStorage", shape(2), bytes(8))
        .add("layers.0.ffn_norm.weight", "FloatStorage", shape(2), bytes(8))
        .add("layers.0.feed_forward.w1.weight", "HalfStorage", shape(3, 2), bytes(12))
        .add("layers.0.feed_forward.w2.weight", "BFloat16Storage", shape(2, 3), bytes(12))
        .add("layers.0.feed_forward.w3.weight", "FloatStorage", shape(3, 2), bytes(24))
        .add("tok_embeddings.weight", "FloatStorage", shape(2, 2), bytes(16))
        .add("norm.weight", "FloatStorage", shape(2), bytes(8))
        .add("output.weight", "FloatStorage", shape(2, 2), bytes(16));
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    Arrays.fill(bytes, (byte) 0x3F);
    return bytes;
  }

  private void write(byte[] file) throws IOException {
    Files.writeString(directory.resolve("params.json"), PARAMS);
    Files.write(directory.resolve("consolidated.00.pth"), file);
  }

  @Test
  void readsTensorsInPlace() throws IOException {
    write(model().bytes());
    for (String path : List.of("", "consolidated.00.pth")) {
      try (Checkpoint checkpoint = Checkpoint.open(directory.resolve(path))) {
        assertThat(checkpoint.tensors()).hasSize(12);
        assertThat(checkpoint.derived()).isEmpty();
        assertThat(checkpoint.tensor("blk.0.ffn_gate.weight").toFloats()).hasSize(6);
        assertThat(checkpoint.metadata().integer("llama.feed_forward_length")).hasValue(3);
        assertThat(checkpoint.metadata().integer("llama.context_length")).hasValue(4096);
        assertThatThrownBy(checkpoint::tokenizer).hasMessageContaining("tokenizer.model");
      }
    }
  }

  static Stream<Arguments> hostile() {
    return Stream.of(
        bad("a system call", "cos\nsystem\nX\2\0\0\0ls\u0085R", "os.system"),
        bad("posix", "cposix\nsystem\n", "posix.system"),
        bad("eval", "c__builtin__\neval\n", "__builtin__.eval"),
        bad("getattr", "cbuiltins\ngetattr\n", "builtins.getattr"),
        bad("torch.load", "ctorch\nload\n", "torch.load"),
        bad("old opcode INST", "(ios\nsystem\n", "'i'"),
        bad("opcode OBJ", "(o", "'o'"),
        bad("opcode NEWOBJ", ")\u0081", "0x81"),
        bad("opcode NEWOBJ_EX", ")}\u0092", "0x92"),
        bad("opcode STACK_GLOBAL", "\u0093", "0x93"),
        bad("opcode EXT1", "\u0082\1", "0x82"),
        bad("opcode PERSID", "P1\n", "'P'"),
        bad("opcode INT", "I1\n", "'I'"),
        bad("opcode UNICODE", "Vx\n", "'V'"),
        bad("opcode BINBYTES", "B\1\0\0\0x", "'B'"),
        bad("opcode EMPTY_SET", "\u008f", "0x8F"),
        bad("opcode FRAME", "\u0095", "0x95"),
        bad("another protocol", "\u0080\4", "expected protocol 2"),
        bad("a long integer", "\u008a\u00ffx", "at most 8 bytes"),
        bad("a string over the end", "X\u00ff\u00ff\u00ff\1", "is the file complete?"),
        bad("a string of 2^31", "X\0\0\0\u0080", "less than 2^31"),
        bad("an endless name", "c" + "a".repeat(1000), "very long"),
        bad("a forgotten value", "h\7", "remembered as 7"),
        bad("reduce of nothing", "NNR", "known function"),
        bad("a called type", "ctorch\nFloatStorage\n)R", "cannot be called"),
        bad("attributes of a list", "]Nb", "attributes of a dictionary"),
        bad("a tensor of nothing", "ctorch._utils\n_rebuild_tensor_v2\n)R", "expected a tensor"),
        bad("a parameter of nothing", "ctorch._utils\n_rebuild_parameter\n)R", "a parameter"),
        bad("a storage of nothing", "NQ", "expected a storage"),
        bad("a list as key", "}]Ns", "as key"),
        bad("an odd dictionary", "}(Nu", "expected pairs"),
        bad("a tuple below a mark", "(\u0085", "found a mark"),
        bad("no value", "(.", "expected a value"),
        bad("append to nothing", "NNa", "expected a list"));
  }

  private static Arguments bad(String what, String opcodes, String message) {
    return Arguments.of(what, opcodes, message);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostile")
  void refusesPicklesThatAreMoreThanTensors(String what, String opcodes, String message)
      throws IOException {
    write(torch().raw(opcodes).bytes());
    assertRefused("data.pkl, offset", message);
  }

  @Test
  void refusesTensorsThatDoNotFit() throws IOException {
    write(torch().text("a").tensor("FloatStorage", "7", 0, 2).bytes());
    assertRefused("expected the entry archive/data/7");
    write(torch().add("a", "FloatStorage", shape(3), bytes(8)).bytes());
    assertRefused("a: expected [3] from value 0 on, found only 2 values");
    write(
        torch()
            .entry("archive/data/0", bytes(8))
            .text("a")
            .tensor("IntStorage", "0", 1, 2)
            .bytes());
    assertRefused("from value 1 on");
    write(torch().text("a").tensor("FloatStorage", "0", -1, 2).bytes());
    assertRefused("expected a tensor");
    write(torch().text("a").tensor("FloatStorage", "0", 0, 0).bytes());
    assertRefused("sizes of at least 1");
    write(torch().text("a").tensor("FloatStorage", "0", 0, 1 << 30, 1 << 30, 1 << 30).bytes());
    assertRefused("one after another");
    write(torch().text("a").tensor("FloatStorage", "0", 0, 1, 1, 1, 1, 1, 1, 1, 1, 1).bytes());
    assertRefused("expected a tensor");
    write(torch().text("a").tensor("QuantStorage", "0", 0, 1).bytes());
    assertRefused("torch.QuantStorage");
    write(model().add("layers.0.lora", "FloatStorage", shape(1), bytes(4)).bytes());
    assertRefused("layers.0.lora: expected parameters of Llama 1 to 3");
    write(torch().bytes());
    assertRefused("tok_embeddings.weight");
  }

  /** A dictionary in itself, a list in itself: they are no tensors, and nobody follows them. */
  @Test
  void cyclesAreHarmless() throws IOException {
    write(model().text("x").raw("}q\1X\1\0\0\0yh\1s").text("z").raw("]q\2h\2a").bytes());
    Checkpoint.open(directory).close();
  }

  @Test
  void refusesOtherArchives() throws IOException {
    write(TorchFile.zip(Map.of("archive/data.pkl", bytes(100)), ZipEntry.DEFLATED));
    assertRefused("without compression");
    write(TorchFile.zip(Map.of("a/data.pkl", bytes(1), "b/data.pkl", bytes(1)), ZipEntry.STORED));
    assertRefused("expected one data.pkl, found 2");
    write(TorchFile.zip(Map.of("archive/version", bytes(1)), ZipEntry.STORED));
    assertRefused("expected one data.pkl, found 0");
    write(model().entry("archive/byteorder", new byte[] {'b', 'i', 'g'}).bytes());
    assertRefused("byteorder");
    write(new byte[0]);
    assertRefused("no end of its directory");
    write(bytes(100));
    assertRefused("no end of its directory");
    byte[] whole = model().bytes();
    write(Arrays.copyOf(whole, whole.length - 30));
    assertRefused("no end of its directory");
    write(Arrays.copyOfRange(whole, 100, whole.length));
    assertRefused("consolidated.00.pth");
  }

  @Test
  void refusesModelsThatAreNotWhole() throws IOException {
    write(model().bytes());
    Files.write(directory.resolve("consolidated.02.pth"), model().bytes());
    assertRefused("expected consolidated.01.pth");
    Files.move(directory.resolve("consolidated.02.pth"), directory.resolve("consolidated.01.pth"));
    assertRefused("is a file missing?");
    Files.write(directory.resolve("consolidated.01.pth"), torch().bytes());
    assertRefused("expected it in each of 2 files");
    Files.delete(directory.resolve("consolidated.01.pth"));
    for (String wrong :
        List.of(
            "{}",
            "[]",
            "{\"dim\":\"2\"}",
            PARAMS.replace("\"dim\":2", "\"dim\":4"),
            PARAMS.replace("\"n_heads\":1", "\"n_heads\":3"),
            PARAMS.replace("-1", "7"),
            PARAMS.replace("}", ",\"moe_args\":{}}"),
            PARAMS.replace("}", ",\"dim\":2}"))) {
      Files.writeString(directory.resolve("params.json"), wrong);
      assertRefused("params.json");
    }
  }

  @Test
  void damageNowhereDoesHarm() throws IOException {
    byte[] good = model().bytes();
    Random random = new Random(6);
    int refused = 0;
    for (int round = 0; round < 500; round++) {
      byte[] bad = good.clone();
      for (int i = random.nextInt(6); i >= 0; i--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      write(bad);
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        checkpoint.tensors().forEach(Tensor::toFloats);
      } catch (CheckpointException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(100);
  }

  private void assertRefused(String... message) {
    assertThatThrownBy(() -> Checkpoint.open(directory).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(message);
  }
}
