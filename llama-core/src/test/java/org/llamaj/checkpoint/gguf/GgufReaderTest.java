package org.llamaj.checkpoint.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class GgufReaderTest {
  @TempDir Path folder;

  @Test
  void metadataOfEveryTypeIsRead() throws Exception {
    try (Checkpoint checkpoint = open("ok-extra-metadata.gguf")) {
      Metadata metadata = checkpoint.metadata();
      assertThat(metadata.string("general.architecture")).contains("llama");
      assertThat(metadata.requireInt("llama.block_count", 1, 10)).isEqualTo(1);
      assertThat(metadata.requireNumber("llama.rope.freq_base")).isEqualTo(10_000);
      assertThat(metadata.integer("test.value_0")).hasValue(200);
      assertThat(metadata.integer("test.value_1")).hasValue(-5);
      assertThat(metadata.integer("test.value_2")).hasValue(60_000);
      assertThat(metadata.integer("test.value_3")).hasValue(-300);
      assertThat(metadata.integer("test.value_4")).hasValue(4_000_000_000L);
      assertThat(metadata.integer("test.value_5")).hasValue(-5);
      assertThat(metadata.number("test.value_6")).hasValue(1.5);
      assertThat(metadata.bool("test.value_7")).contains(true);
      assertThat(metadata.string("test.value_8")).contains("");
      assertThat(metadata.values().get("test.value_9")).hasToString("[]");
      assertThat(metadata.floats("test.value_10")).contains(new float[] {1.25f, -2.5f});
      assertThat(metadata.values().get("test.value_11")).hasToString("[true, false]");
      assertThat(metadata.strings("test.value_12").orElseThrow().toArray())
          .isDeepEqualTo(new byte[][] {{}, "é".getBytes(UTF_8)});
      assertThat(metadata.values().get("test.value_13")).hasToString("9223372036854775808");
      assertThatThrownBy(() -> metadata.integer("test.value_13"))
          .isInstanceOf(CheckpointException.class);
      assertThat(metadata.integer("test.value_14")).hasValue(-(1L << 62));
      assertThat(metadata.number("test.value_15")).hasValue(1e300);
      assertThat(metadata.integers("tokenizer.ggml.token_type").orElseThrow())
          .hasSize(40)
          .startsWith(2, 3, 3, 6, 1);
      assertThat(metadata.values().get("tokenizer.ggml.token_type"))
          .hasToString("[2, 3, 3, 6, 1, 1, 1, 1, ... 40 in all]");
    }
  }

  @Test
  void tensorsHaveShapesOutermostFirstAndLieInTheFile() throws Exception {
    try (Checkpoint checkpoint = open("ok-plain.gguf")) {
      Tensor embedding = checkpoint.tensor("token_embd.weight");
      assertThat(embedding.shape()).isEqualTo(Shape.of(40, 16));
      assertThat(embedding.type()).isEqualTo(ElementType.F32);
      assertThat(embedding.data().isReadOnly()).isTrue();
      assertThat(checkpoint.tensors()).hasSize(11);
      assertThat(checkpoint.find("output.bias")).isEmpty();
      assertThatThrownBy(() -> checkpoint.tensor("output.bias"))
          .isInstanceOf(CheckpointException.class)
          .hasMessageStartingWith("ok-plain.gguf: tensor output.bias: expected");
      assertThat(checkpoint.totalBytes()).isEqualTo(12_544);
      assertThat(checkpoint.files()).hasSize(1);
    }
  }

  @Test
  void streamsAndMemoryReadAsTheFile() throws Exception {
    try (InputStream in = getClass().getResourceAsStream("/golden/bad/ok-plain.gguf");
        Checkpoint file = open("ok-plain.gguf");
        Checkpoint stream = GgufReader.read(in, "stream");
        Checkpoint memory =
            GgufReader.read(
                MemorySegment.ofArray(Files.readAllBytes(file.files().getFirst())), "memory")) {
      assertSameTensors(stream, file);
      assertSameTensors(memory, file);
      assertThat(stream.files()).isEmpty();
      assertThat(stream.totalBytes()).isEqualTo(file.totalBytes());
      assertThat(stream.source()).isEqualTo("stream");
    }
  }

  @Test
  void useAfterCloseIsRefused() throws Exception {
    Checkpoint checkpoint = open("ok-plain.gguf");
    MetadataValue tokens = checkpoint.metadata().values().get("tokenizer.ggml.tokens");
    checkpoint.close();
    checkpoint.close();
    assertThat(checkpoint.isOpen()).isFalse();
    assertThatThrownBy(() -> checkpoint.tensor("token_embd.weight"))
        .isInstanceOf(CheckpointException.class)
        .hasMessage("ok-plain.gguf is closed");
    assertThatThrownBy(checkpoint::tensors).isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> checkpoint.metadata().string("general.architecture"))
        .isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> checkpoint.metadata().strings("tokenizer.ggml.tokens"))
        .isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> ((Sequence) tokens).first(1)).isInstanceOf(CheckpointException.class);
  }

  @Test
  void missingFilesAreNamed() {
    Path missing = folder.resolve("missing.gguf");
    assertThatThrownBy(() -> GgufReader.open(missing))
        .isInstanceOf(CheckpointException.class)
        .hasMessage(missing + ": no such file");
    assertThatThrownBy(() -> GgufReader.open(folder)).isInstanceOf(CheckpointException.class);
  }

  @Test
  void tensorsMayBeLargerThanTwoGiB() throws Exception {
    Shape shape = Shape.of(3, 1 << 30);
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    GgufHeader.write(
        header,
        new LinkedHashMap<>(),
        List.of(new TensorDescription("large", ElementType.I8, shape)),
        32);
    Path file = folder.resolve("large.gguf");
    Files.write(file, header.toByteArray());
    long start = Math.ceilDiv(header.size(), 32) * 32;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      // Only the last byte is written; what is before takes no room on the disk.
      channel.write(ByteBuffer.wrap(new byte[] {42}), start + shape.elements() - 1);
    }
    try (Checkpoint checkpoint = GgufReader.open(file)) {
      MemorySegment last = checkpoint.tensor("large").slice(2).data();
      assertThat(last.get(ValueLayout.JAVA_BYTE, (1 << 30) - 1)).isEqualTo((byte) 42);
      assertThat(checkpoint.totalBytes()).isEqualTo(start + (3L << 30));
    }
  }

  @Test
  void shardsReadAsOneModel() {
    Path first = writeShards(0, 3, 3);
    try (Checkpoint checkpoint = GgufReader.open(first)) {
      assertThat(checkpoint.tensors()).extracting(Tensor::name).containsExactly("t0", "t1", "t2");
      assertThat(checkpoint.tensor("t2").data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 2);
      assertThat(checkpoint.files()).hasSize(3);
      assertThat(checkpoint.source()).isEqualTo("m-00001-of-00003.gguf");
    }
    Path second = folder.resolve("m-00002-of-00003.gguf");
    assertThatThrownBy(() -> GgufReader.open(second))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("m-00001-of-00003.gguf; open that one");
  }

  @Test
  void shardsThatDoNotBelongTogetherAreRefused() {
    Path wrongNumber = writeShards(1, 3, 3);
    assertThatThrownBy(() -> GgufReader.open(wrongNumber))
        .hasMessage("m-00001-of-00003.gguf: split.no: expected 0, found 1");
    Path wrongTensors = writeShards(0, 3, 4);
    assertThatThrownBy(() -> GgufReader.open(wrongTensors))
        .hasMessageContaining("split.tensors.count: expected 4 tensors in all files, found 3");
    Path wrongCount = writeShards(0, 2, 3);
    assertThatThrownBy(() -> GgufReader.open(wrongCount))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected the first of 2 files");
  }

  /** Three files of one tensor each, named rightly, with what they claim given. */
  private Path writeShards(int firstNumber, int count, int tensors) {
    for (int i = 0; i < 3; i++) {
      SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
      metadata.put("general.architecture", Text.of("llama"));
      metadata.put("split.no", new Whole(MetadataType.UINT16, firstNumber + i));
      metadata.put("split.count", new Whole(MetadataType.UINT16, count));
      metadata.put("split.tensors.count", new Whole(MetadataType.INT32, tensors));
      TensorDescription tensor = new TensorDescription("t" + i, ElementType.I8, Shape.of(1));
      Path file = folder.resolve("m-0000%d-of-00003.gguf".formatted(i + 1));
      try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(tensor))) {
        writer.write(MemorySegment.ofArray(new byte[] {(byte) i}));
        writer.finish();
      }
    }
    return folder.resolve("m-00001-of-00003.gguf");
  }

  @Test
  void referenceShardsEqualTheUnsplitFile() {
    Path text = Path.of(System.getProperty("golden.dir", ""), "text");
    Path split = text.resolve("split-llama32-F32/model-00001-of-00003.gguf");
    assumeTrue(Files.exists(split), "no reference data in " + text);
    try (Checkpoint shards = GgufReader.open(split);
        Checkpoint whole = GgufReader.open(text.resolve("llama32-bpe-F32/model.gguf"))) {
      assertSameTensors(shards, whole);
      SequencedMap<String, MetadataValue> expected = new LinkedHashMap<>();
      shards.metadata().values().forEach(expected::put);
      expected.keySet().removeIf(key -> key.startsWith("split."));
      assertThat(expected.keySet()).containsExactlyElementsOf(whole.metadata().values().keySet());
    }
  }

  private static void assertSameTensors(Checkpoint found, Checkpoint expected) {
    assertThat(found.tensors())
        .extracting(Tensor::name)
        .containsExactlyInAnyOrderElementsOf(
            expected.tensors().stream().map(Tensor::name).toList());
    for (Tensor tensor : expected.tensors()) {
      Tensor same = found.tensor(tensor.name());
      assertThat(same.type()).isEqualTo(tensor.type());
      assertThat(same.shape()).isEqualTo(tensor.shape());
      assertThat(same.data().mismatch(tensor.data())).as(tensor.name()).isEqualTo(-1);
    }
  }

  private static Checkpoint open(String file) throws Exception {
    return GgufReader.open(
        Path.of(GgufReaderTest.class.getResource("/golden/bad/" + file).toURI()));
  }
}
