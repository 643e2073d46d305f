package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.checkpoint.gguf.WeightMix;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

class ConversionTest {
  @TempDir Path folder;

  static Path model() throws Exception {
    return Path.of(
        ConversionTest.class.getResource("/golden/text/llama2-spm-F32/model.gguf").toURI());
  }

  /** Small errors of weights make small errors of logits; a wrong bit makes large ones. */
  @ParameterizedTest
  @EnumSource
  void convertedModelsGiveAlmostTheSameLogits(FileType type) throws Exception {
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = GgufReader.open(model())) {
      assertThat(Conversion.of(model).to(type).threads(3).write(file)).containsExactly(file);
      WeightMix mix = WeightMix.of(type, model, false);
      try (Checkpoint converted = GgufReader.open(file)) {
        assertThat(converted.metadata().integer("general.file_type")).hasValue(type.id());
        for (Tensor tensor : converted.tensors()) {
          assertThat(tensor.type()).isEqualTo(mix.type(tensor.name(), tensor.shape()));
        }
      }
    }
    double expected =
        switch (type) {
          case F32, F16, Q8_0 -> 0.999;
          case Q5_0, Q5_1, Q5_K_S, Q5_K_M, Q6_K, BF16 -> 0.98;
          default -> 0.88;
        };
    assertThat(cosine(logits(model()), logits(file))).isGreaterThan(expected);
  }

  @Test
  void withoutATypeTheModelStaysWhatItIs() throws Exception {
    Path copy = folder.resolve("copy.gguf");
    try (Checkpoint model = GgufReader.open(model())) {
      Conversion.of(model).write(copy);
    }
    assertThat(copy).hasSameBinaryContentAs(model());
  }

  @Test
  void moreThreadsWriteTheSameFile() throws Exception {
    Path one = folder.resolve("one.gguf");
    Path four = folder.resolve("four.gguf");
    try (Checkpoint model = GgufReader.open(model())) {
      Conversion.of(model).to(FileType.Q4_K_M).threads(1).write(one);
      Conversion.of(model).to(FileType.Q4_K_M).threads(4).write(four);
    }
    assertThat(four).hasSameBinaryContentAs(one);
  }

  @Test
  void pureMixturesHaveOneTypeAndOneForShortRows() throws Exception {
    try (Checkpoint model = GgufReader.open(model())) {
      assertThat(Conversion.of(model).to(FileType.Q4_K_M).pure().tensors())
          .filteredOn(tensor -> tensor.shape().rank() > 1 && tensor.shape().columns() == 96)
          .allMatch(tensor -> tensor.type() == ElementType.Q5_0);
    }
  }

  @Test
  void largeModelsAreSplit() throws Exception {
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = GgufReader.open(model())) {
      List<Path> files = Conversion.of(model).to(FileType.Q8_0).maxFileBytes(100_000).write(file);
      assertThat(files).hasSizeGreaterThan(2);
      assertThat(files.getFirst()).hasFileName("model-00001-of-%05d.gguf".formatted(files.size()));
      try (Checkpoint split = GgufReader.open(files.getFirst())) {
        assertThat(split.tensors()).hasSameSizeAs(model.tensors());
        assertThat(split.files()).isEqualTo(files);
      }
      Path whole = folder.resolve("whole.gguf");
      try (Checkpoint split = GgufReader.open(files.getFirst())) {
        Conversion.of(split).write(whole);
      }
      Conversion.of(model).to(FileType.Q8_0).write(file);
      assertThat(whole).hasSameBinaryContentAs(file);
    }
  }

  @Test
  void progressReachesTheEndAndMayEndIt() throws Exception {
    Path file = folder.resolve("model.gguf");
    long[] last = new long[2];
    try (Checkpoint model = GgufReader.open(model())) {
      Conversion conversion = Conversion.of(model).to(FileType.Q8_0);
      conversion
          .onProgress(
              (bytes, total) -> {
                assertThat(bytes).isGreaterThan(last[0]);
                last[0] = bytes;
                last[1] = total;
              })
          .write(file);
      assertThat(last[0]).isEqualTo(last[1]).isPositive();
      Files.delete(file);
      conversion.onProgress(
          (_, _) -> {
            throw new LlamaException("enough");
          });
      assertThatThrownBy(() -> conversion.write(file)).hasMessage("enough");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void quantisedModelsAreNotQuantisedTwiceUnasked() throws Exception {
    Path first = folder.resolve("first.gguf");
    Path second = folder.resolve("second.gguf");
    try (Checkpoint model = GgufReader.open(model())) {
      Conversion.of(model).to(FileType.Q8_0).write(first);
    }
    try (Checkpoint model = GgufReader.open(first)) {
      assertThatThrownBy(() -> Conversion.of(model).to(FileType.Q4_0).write(second))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("is quantised already, as Q8_0");
      Conversion.of(model).to(FileType.Q4_0).requantize().write(second);
    }
    assertThat(cosine(logits(model()), logits(second))).isGreaterThan(0.88);
  }

  @Test
  void valuesThatAreNoNumbersAreRefusedWithTheTensorsName() throws Exception {
    Path bad = folder.resolve("bad.gguf");
    byte[] bytes = Files.readAllBytes(model());
    try (Checkpoint model = GgufReader.open(model())) {
      Tensor tensor = model.tensor("blk.1.ffn_up.weight");
      long place =
          Files.size(model())
              - model.tensors().stream()
                  .dropWhile(t -> t != tensor)
                  .mapToLong(t -> Math.ceilDiv(t.data().byteSize(), 32) * 32)
                  .sum();
      for (int i = 0; i < 4; i++) bytes[(int) place + 4 * 5 + i] = -1;
      Files.write(bad, bytes);
    }
    try (Checkpoint model = GgufReader.open(bad)) {
      assertThatThrownBy(
              () -> Conversion.of(model).to(FileType.Q4_K_M).write(folder.resolve("out.gguf")))
          .isInstanceOf(LlamaException.class)
          .hasMessage(
              "blk.1.ffn_up.weight, rows from 0 on: expected finite values, found NaN in row 0, column 5");
    }
    assertThat(folder).isDirectoryNotContaining("glob:**out*");
  }

  /** A tensor of experts has weights of importance for each of them. */
  @Test
  void eachExpertHasItsOwnImportance() throws Exception {
    Path file = folder.resolve("experts.gguf");
    int columns = 256;
    Shape shape = Shape.of(2, 4, columns);
    TensorDescription description =
        new TensorDescription("blk.0.ffn_up_exps.weight", ElementType.F32, shape);
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", Text.of("llama"));
    metadata.put("llama.block_count", new Whole(MetadataType.UINT32, 1));
    metadata.put("llama.attention.head_count", new Whole(MetadataType.UINT32, 4));
    float[] values = new float[2 * 4 * columns];
    for (int i = 0; i < values.length; i++) values[i] = (float) Math.sin(i * 0.7);
    try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(description))) {
      writer.write(MemorySegment.ofBuffer(littleEndian(values)));
      writer.finish();
    }
    float[] sums = new float[2 * columns];
    IntStream.range(0, columns).forEach(i -> sums[i] = i % 2 == 0 ? 1000 : 1);
    IntStream.range(columns, 2 * columns).forEach(i -> sums[i] = i % 2 == 0 ? 1 : 1000);
    SequencedMap<String, ImportanceMatrix.Entry> entries = new LinkedHashMap<>();
    entries.put("blk.0.ffn_up_exps.weight", new ImportanceMatrix.Entry(sums, new float[] {10, 10}));
    Path out = folder.resolve("out.gguf");
    float[] found = new float[values.length];
    try (Checkpoint model = GgufReader.open(file)) {
      Conversion.of(model)
          .to(FileType.Q2_K)
          .importance(new ImportanceMatrix("test", "text", 1, 10, entries))
          .write(out);
    }
    try (Checkpoint model = GgufReader.open(out)) {
      Tensor tensor = model.tensors().getFirst();
      for (int row = 0; row < 8; row++) {
        Dequantizer.dequantizeRow(tensor, row, found, row * columns);
      }
    }
    for (int expert = 0; expert < 2; expert++) {
      double[] error = new double[2];
      for (int i = expert * 4 * columns; i < (expert + 1) * 4 * columns; i++) {
        error[i % 2] += Math.pow(values[i] - found[i], 2);
      }
      assertThat(error[expert]).isLessThan(error[1 - expert]);
    }
  }

  private static ByteBuffer littleEndian(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  @Test
  void importanceOfAnotherModelIsRefused() throws Exception {
    SequencedMap<String, ImportanceMatrix.Entry> entries = new LinkedHashMap<>();
    entries.put("blk.0.ffn_up.weight", new ImportanceMatrix.Entry(new float[7], new float[] {1}));
    Path file = folder.resolve("imatrix.gguf");
    new ImportanceMatrix("made here", "text", 3, 512, entries).write(file);
    ImportanceMatrix matrix = ImportanceMatrix.read(file);
    assertThat(matrix.chunks()).isEqualTo(3);
    assertThat(matrix.dataset()).isEqualTo("text");
    try (Checkpoint model = GgufReader.open(model())) {
      assertThatThrownBy(
              () ->
                  Conversion.of(model)
                      .to(FileType.Q4_0)
                      .importance(matrix)
                      .write(folder.resolve("out.gguf")))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("imatrix.gguf: blk.0.ffn_up.weight: expected the importance of");
    }
    assertThatThrownBy(() -> ImportanceMatrix.read(model()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("general.type: expected imatrix, found model");
  }

  static float[] logits(Path file) throws IOException {
    try (LlamaModel model = LlamaModel.builder(file).kernels("scalar").threads(1).load();
        Sequence sequence = model.transformer().newSequence()) {
      Batch batch = model.transformer().newBatch();
      for (int id : new int[] {1, 35, 72, 101, 7, 55}) batch.add(sequence, id);
      batch.wantLogits();
      model.transformer().forward(batch);
      return batch.logits(0).clone();
    }
  }

  static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  }
}
