package org.llamaj.checkpoint.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class GgufWriterTest {
  @TempDir Path folder;

  /** What was read and is written again is the same file, whatever types it has. */
  @ParameterizedTest
  @ValueSource(strings = {"ok-plain.gguf", "ok-extra-metadata.gguf", "ok-alignment-64.gguf"})
  void copiesAreIdentical(String name) throws Exception {
    Path original = Path.of(getClass().getResource("/golden/bad/" + name).toURI());
    Path copy = folder.resolve(name);
    try (Checkpoint checkpoint = GgufReader.open(original)) {
      List<TensorDescription> tensors =
          checkpoint.tensors().stream()
              .map(tensor -> new TensorDescription(tensor.name(), tensor.type(), tensor.shape()))
              .toList();
      try (GgufWriter writer = GgufWriter.create(copy, checkpoint.metadata().values(), tensors)) {
        for (Tensor tensor : checkpoint.tensors()) {
          long half = tensor.data().byteSize() / 2;
          writer.write(tensor.data().asSlice(0, half));
          writer.write(tensor.data().asSlice(half));
        }
        writer.finish();
      }
    }
    assertThat(copy).hasSameBinaryContentAs(original);
  }

  @Test
  void arraysMadeHereCanBeReadBack() {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("strings", Sequence.ofStrings(new byte[][] {"a".getBytes(UTF_8), {}}));
    metadata.put("ints", Sequence.ofInts(1, -2));
    metadata.put("floats", Sequence.ofFloats(0.5f));
    Path file = folder.resolve("arrays.gguf");
    try (GgufWriter writer = GgufWriter.create(file, metadata, List.of())) {
      writer.finish();
    }
    try (Checkpoint checkpoint = GgufReader.open(file)) {
      assertThat(checkpoint.metadata().strings("strings").orElseThrow().toArray())
          .isDeepEqualTo(new byte[][] {{'a'}, {}});
      assertThat(checkpoint.metadata().integers("ints")).contains(new int[] {1, -2});
      assertThat(checkpoint.metadata().floats("floats")).contains(new float[] {0.5f});
    }
  }

  @Test
  void unfinishedFilesAreDeleted() throws Exception {
    Path file = folder.resolve("unfinished.gguf");
    TensorDescription tensor = new TensorDescription("t", ElementType.F32, Shape.of(2));
    try (GgufWriter writer = GgufWriter.create(file, new LinkedHashMap<>(), List.of(tensor))) {
      writer.write(MemorySegment.ofArray(new byte[5]));
      assertThatThrownBy(writer::finish)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("expected 3 more bytes of t");
      assertThatThrownBy(() -> writer.write(MemorySegment.ofArray(new byte[4])))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("expected 3 more bytes of t, found 4");
    }
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void alignmentMustBeAPowerOfTwo() {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.alignment", new Whole(MetadataType.UINT32, 24));
    Path file = folder.resolve("alignment.gguf");
    assertThatThrownBy(() -> GgufWriter.create(file, metadata, List.of()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("power of two");
  }
}
