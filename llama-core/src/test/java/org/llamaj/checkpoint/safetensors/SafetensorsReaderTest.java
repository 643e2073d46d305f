package org.llamaj.checkpoint.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class SafetensorsReaderTest {
  @TempDir Path directory;

  private static SafetensorsWriter writer() {
    return new SafetensorsWriter();
  }

  private static byte[] floats(float... values) {
    return SafetensorsWriter.floats(values);
  }

  private Checkpoint open(byte[] file) throws IOException {
    return Checkpoint.open(Files.write(directory.resolve("x.safetensors"), file));
  }

  @Test
  void readsTensorsOfAllTypes() throws IOException {
    byte[] file =
        writer()
            .raw("\"__metadata__\":{\"format\":\"pt\"}")
            .add("f32", "F32", new long[] {2, 2}, floats(1, -2, 3, 4.5f))
            .add("f16", "F16", new long[] {2}, new byte[] {0, 0x3C, 0, (byte) 0xC0})
            .add("bf16", "BF16", new long[] {2}, new byte[] {(byte) 0x80, 0x3F, 0, (byte) 0xC0})
            .add("e4m3", "F8_E4M3", new long[] {4}, new byte[] {0x38, (byte) 0xC0, 0x7E, 1})
            .add("e5m2", "F8_E5M2", new long[] {3}, new byte[] {0x3C, (byte) 0xC0, 0x7C})
            .add("i8", "I8", new long[] {2}, new byte[] {-1, 127})
            .add("u8", "U8", new long[] {2}, new byte[] {-1, 127})
            .add("bool", "BOOL", new long[] {2}, new byte[] {1, 0})
            .add("u16", "U16", new long[] {1}, new byte[] {-1, -1})
            .add("i16", "I16", new long[] {1}, new byte[] {-1, -1})
            .add("u32", "U32", new long[] {1}, new byte[] {-1, -1, -1, -1})
            .add("i64", "I64", new long[] {1}, new byte[] {-2, -1, -1, -1, -1, -1, -1, -1})
            .add("u64", "U64", new long[] {1}, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1})
            .add("scalar", "F32", new long[] {}, floats(7))
            .add("empty", "F32", new long[] {0, 4}, new byte[0])
            .bytes();
    try (Checkpoint checkpoint = open(file)) {
      assertThat(checkpoint.metadata().string("format")).contains("pt");
      assertThat(checkpoint.tensor("f32").shape()).isEqualTo(Shape.of(2, 2));
      assertThat(checkpoint.tensor("f32").toFloats()).containsExactly(1, -2, 3, 4.5f);
      assertThat(checkpoint.tensor("f32").rowAsFloats(1)).containsExactly(3, 4.5f);
      assertThat(checkpoint.tensor("f16").toFloats()).containsExactly(1, -2);
      assertThat(checkpoint.tensor("bf16").toFloats()).containsExactly(1, -2);
      assertThat(checkpoint.tensor("e4m3").toFloats()).containsExactly(1, -2, 448, 0x1p-9f);
      assertThat(checkpoint.tensor("e5m2").toFloats())
          .containsExactly(1, -2, Float.POSITIVE_INFINITY);
      assertThat(checkpoint.tensor("i8").toFloats()).containsExactly(-1, 127);
      assertThat(checkpoint.tensor("u8").toFloats()).containsExactly(255, 127);
      assertThat(checkpoint.tensor("bool").toFloats()).containsExactly(1, 0);
      assertThat(checkpoint.tensor("u16").toFloats()).containsExactly(65535);
      assertThat(checkpoint.tensor("i16").toFloats()).containsExactly(-1);
      assertThat(checkpoint.tensor("u32").toFloats()).containsExactly(0x1p32f);
      assertThat(checkpoint.tensor("i64").toFloats()).containsExactly(-2);
      assertThat(checkpoint.tensor("u64").toFloats()).containsExactly(0x1p64f);
      assertThat(checkpoint.tensor("scalar").toFloats()).containsExactly(7);
      assertThat(checkpoint.find("empty")).isEmpty();
      assertThat(checkpoint.totalBytes()).isEqualTo(file.length);
    }
  }

  @Test
  void opensAllFilesOfAnIndex() throws IOException {
    writer().add("a", "F32", new long[] {1}, floats(1)).write(file("m-00001-of-00002.safetensors"));
    writer().add("b", "F32", new long[] {1}, floats(2)).write(file("m-00002-of-00002.safetensors"));
    index("a", "m-00001-of-00002.safetensors", "b", "m-00002-of-00002.safetensors");
    for (Path path : new Path[] {directory, file("model.safetensors.index.json")}) {
      try (Checkpoint checkpoint = Checkpoint.open(path)) {
        assertThat(checkpoint.tensors()).extracting(Tensor::name).containsExactly("a", "b");
        assertThat(checkpoint.tensor("b").toFloats()).containsExactly(2);
        assertThat(checkpoint.files()).hasSize(2);
      }
    }
  }

  static Stream<Arguments> damaged() {
    return Stream.of(
        bad("empty file", new byte[0], "found only 0 bytes"),
        bad("seven bytes", new byte[7], "found only 7 bytes"),
        bad("no header", new byte[8], "expected a header of 2 to"),
        bad("header of 2^63", hex(-1), "18446744073709551615"),
        bad("header over the limit", hex(40L << 20), "expected a header of 2 to"),
        bad("header over the end", hex(1000), "found only 1 bytes"),
        bad("no JSON", SafetensorsWriter.file("{xx}", new byte[0]), "Not a JSON text"),
        bad("an array", SafetensorsWriter.file("[1]", new byte[0]), "expected a JSON object"),
        bad("nothing but bytes", SafetensorsWriter.file("{\0}", new byte[0]), "Not a JSON text"),
        bad("deep nesting", deep(), "Not a JSON text"),
        bad("a number as tensor", writer().raw("\"a\":1"), "a: expected an object, found 1"),
        bad("no dtype", writer().raw("\"a\":{}"), "a.dtype: expected a string, found none"),
        bad("unknown type", entry("Q9", "[1]", 0, 4).data(4), "expected a type such as F32"),
        bad("no shape", noShape(), "a.shape: expected an array"),
        bad("negative size", entry("F32", "[-1]", 0, 4).data(4), "at least 0"),
        bad("a fraction as size", entry("F32", "[1.5]", 0, 4).data(4), "expected integers"),
        bad("a huge integer", entry("F32", "[99999999999999999999]", 0, 4), "expected integers"),
        bad("too many values", entry("F32", "[4294967296,4294967296]", 0, 4), "2^63 values"),
        bad("too many bytes", entry("F64", "[2147483648,2147483648]", 0, 4), "2^63 bytes"),
        bad("nine dimensions", entry("F32", "[1,1,1,1,1,1,1,1,1]", 0, 4), "at most 8"),
        bad("one offset", writer().raw(tensor("[1]", "[4]")), "two offsets"),
        bad("three offsets", writer().raw(tensor("[1]", "[0,2,4]")), "two offsets"),
        bad("negative offset", entry("F32", "[1]", -4, 0), "two offsets"),
        bad("offsets swapped", entry("F32", "[1]", 4, 0).data(4), "two offsets"),
        bad("wrong size", entry("F32", "[2]", 0, 4).data(4), "expected 8 bytes for F32 [2]"),
        bad("past the end", entry("F32", "[2]", 0, 8).data(4), "is the file complete?"),
        bad("far past the end", entry("F32", "[1]", 1L << 62, (1L << 62) + 4), "complete?"),
        bad("overlap", two(0, 4, 2, 6).data(6), "expected its data at offset 4"),
        bad("same place", two(0, 4, 0, 4).data(4), "expected its data at offset 4"),
        bad("gap", two(0, 4, 8, 12).data(12), "expected its data at offset 4"),
        bad("more data than named", entry("F32", "[1]", 0, 4).data(8), "found 8"),
        bad(
            "same name twice",
            entry("F32", "[1]", 0, 4).entry("a", "F32", "[1]", 4, 8).data(8),
            "a"),
        bad(
            "metadata of numbers",
            writer().raw("\"__metadata__\":{\"a\":1}"),
            "expected a string, found 1"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damaged")
  void refusesDamagedFiles(String what, byte[] file, String message) throws IOException {
    Path path = Files.write(directory.resolve("x.safetensors"), file);
    assertThatThrownBy(() -> SafetensorsReader.open(path).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("x.safetensors: ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesIndexesThatDoNotFit() throws IOException {
    writer().add("a", "F32", new long[] {1}, floats(1)).write(file("one.safetensors"));
    byte[] one = floats(1);
    writer()
        .add("a", "F32", new long[] {1}, one)
        .add("b", "F32", new long[] {1}, one)
        .write(file("two.safetensors"));
    assertIndex("no such file", "a", "gone.safetensors");
    assertIndex("expected b in one.safetensors", "b", "one.safetensors");
    assertIndex("the name of a file beside the index", "a", "../one.safetensors");
    assertIndex("the name of a file beside the index", "a", "/etc/one.safetensors");
    assertIndex("the name of a file beside the index", "a", "one.gguf");
    assertIndex("expected unique names", "a", "one.safetensors", "b", "two.safetensors");
    assertIndex("expected tensors in 1 to");
    Files.writeString(file("model.safetensors.index.json"), "{}");
    assertThatThrownBy(() -> Checkpoint.open(directory)).hasMessageContaining("weight_map");
    Files.writeString(file("model.safetensors.index.json"), "{\"weight_map\":[1]}");
    assertThatThrownBy(() -> Checkpoint.open(directory)).hasMessageContaining("an object");
  }

  @Test
  void namesTheChoiceWhereADirectoryHasSeveral() throws IOException {
    assertThatThrownBy(() -> Checkpoint.open(directory))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected a model");
    writer().write(file("one.safetensors"));
    Checkpoint.open(directory).close();
    writer().write(file("two.safetensors"));
    assertThatThrownBy(() -> Checkpoint.open(directory))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("[one.safetensors, two.safetensors]");
    writer().write(file("model.safetensors"));
    Checkpoint.open(directory).close();
  }

  @Test
  void damageNowhereDoesHarm() throws IOException {
    byte[] good =
        writer()
            .raw("\"__metadata__\":{\"format\":\"pt\"}")
            .add("a", "F32", new long[] {2, 2}, floats(1, 2, 3, 4))
            .add("b", "BF16", new long[] {3}, new byte[6])
            .bytes();
    Random random = new Random(5);
    int refused = 0;
    for (int round = 0; round < 600; round++) {
      byte[] bad = good.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      if (round % 3 == 0) bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      try (Checkpoint checkpoint = open(bad)) {
        checkpoint.tensors().forEach(Tensor::toFloats);
      } catch (CheckpointException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(200);
  }

  @Test
  void aFileOfManyGigabytesIsMappedOnly() throws IOException {
    long bytes = 6L << 30;
    Path file = file("big.safetensors");
    byte[] start = entry("BF16", "[%d,1024]".formatted(bytes / 2048), 0, bytes).bytes();
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.write(start);
      sparse.setLength(start.length + bytes);
    }
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Tensor tensor = checkpoint.tensor("a");
      assertThat(tensor.type()).isEqualTo(ElementType.BF16);
      assertThat(tensor.rowAsFloats(tensor.rows() - 1)).hasSize(1024).containsOnly(0);
    }
  }

  private void assertIndex(String message, String... entries) throws IOException {
    index(entries);
    assertThatThrownBy(() -> SafetensorsReader.open(directory).close())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  private void index(String... entries) throws IOException {
    StringBuilder map = new StringBuilder();
    for (int i = 0; i < entries.length; i += 2) {
      map.append(i == 0 ? "" : ",").append("\"%s\":\"%s\"".formatted(entries[i], entries[i + 1]));
    }
    Files.writeString(file("model.safetensors.index.json"), "{\"weight_map\":{%s}}".formatted(map));
  }

  private Path file(String name) {
    return directory.resolve(name);
  }

  private static Arguments bad(String what, SafetensorsWriter file, String message) {
    return bad(what, file.bytes(), message);
  }

  private static Arguments bad(String what, byte[] file, String message) {
    return Arguments.of(what, file, message);
  }

  private static SafetensorsWriter entry(String type, String shape, long begin, long end) {
    return writer().entry("a", type, shape, begin, end);
  }

  private static SafetensorsWriter two(long begin, long end, long begin2, long end2) {
    return entry("F32", "[1]", begin, end).entry("b", "F32", "[1]", begin2, end2);
  }

  private static SafetensorsWriter noShape() {
    return writer().raw("\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}").data(4);
  }

  private static String tensor(String shape, String offsets) {
    return "\"a\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":%s}".formatted(shape, offsets);
  }

  private static byte[] deep() {
    return SafetensorsWriter.file("{\"a\":" + "[".repeat(100_000), new byte[0]);
  }

  /** A length and a brace. */
  private static byte[] hex(long length) {
    byte[] file = new byte[9];
    for (int i = 0; i < 8; i++) file[i] = (byte) (length >> 8 * i);
    file[8] = "{".getBytes(StandardCharsets.US_ASCII)[0];
    return file;
  }
}
