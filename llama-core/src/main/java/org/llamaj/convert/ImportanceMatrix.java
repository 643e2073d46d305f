package org.llamaj.convert;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import org.llamaj.ModelBuilder;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Which columns of a model's matrices matter: the mean square of the activation that each is
 * multiplied with, on some text. An error of a weight changes the product by the error times that
 * activation. Files are those of llama-imatrix (GGUF): for each matrix the sums of squares and how
 * many tokens were summed; of the experts of a mixture for each of them. Immutable.
 */
public final class ImportanceMatrix {
  private static final String SUMS = ".in_sum2";
  private static final String COUNTS = ".counts";

  /** Columns that the text never used still get this part of the mean importance. */
  private static final float FLOOR = 1e-3f;

  /**
   * Of one matrix, or of the experts in one tensor.
   *
   * @param sums of squares, columns values for each expert
   * @param counts tokens summed, for each expert
   */
  record Entry(float[] sums, float[] counts) {}

  private final String source;
  private final String dataset;
  private final int chunks;
  private final int chunkSize;
  private final SequencedMap<String, Entry> entries;

  ImportanceMatrix(
      String source,
      String dataset,
      int chunks,
      int chunkSize,
      SequencedMap<String, Entry> entries) {
    this.source = source;
    this.dataset = dataset;
    this.chunks = chunks;
    this.chunkSize = chunkSize;
    this.entries = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(entries));
  }

  /**
   * Reads a text with a model, and sees what is multiplied with its matrices.
   *
   * @param model how to load it: unquantised, or as near to that as memory allows
   * @param text of the kind that the model will read
   * @param dataset what to call the text
   * @param chunkTokens the text is read in pieces of so many tokens; what is left over is not
   * @param maxChunks the most pieces
   * @param progress told the pieces that were read, and how many there are
   * @return the matrix
   * @throws org.llamaj.LlamaException if the text is shorter than one piece, or the model cannot be
   *     loaded
   */
  public static ImportanceMatrix collect(
      ModelBuilder model,
      String text,
      String dataset,
      int chunkTokens,
      int maxChunks,
      ConversionListener progress) {
    if (chunkTokens < 2 || maxChunks < 1) {
      throw new IllegalArgumentException(
          "expected pieces of at least 2 tokens, and at least one of them, found %d and %d"
              .formatted(chunkTokens, maxChunks));
    }
    return ImportanceCollector.collect(model, text, dataset, chunkTokens, maxChunks, progress);
  }

  /**
   * Reads a file.
   *
   * @param file written by {@link #write} or llama-imatrix, in its older form too
   * @return the matrix
   * @throws CheckpointException if it is no such file
   */
  public static ImportanceMatrix read(Path file) {
    if (OldImportanceFile.isOne(file)) return OldImportanceFile.read(file);
    try (Checkpoint checkpoint = GgufReader.open(file)) {
      String type = checkpoint.metadata().string("general.type").orElse("model");
      if (!type.equals("imatrix")) {
        throw new CheckpointException(
            "%s: general.type: expected imatrix, found %s; llama imatrix makes one from a model"
                .formatted(checkpoint.source(), type));
      }
      SequencedMap<String, Entry> entries = new LinkedHashMap<>();
      for (Tensor sums : checkpoint.tensors()) {
        if (!sums.name().endsWith(SUMS)) continue;
        String name = sums.name().substring(0, sums.name().length() - SUMS.length());
        Tensor counts = checkpoint.tensor(name + COUNTS);
        if (counts.shape().elements() != sums.rows()) {
          throw new CheckpointException(
              "%s: %s: expected a count for each of %d rows of sums, found %d"
                  .formatted(checkpoint.source(), name, sums.rows(), counts.shape().elements()));
        }
        entries.put(name, new Entry(floats(checkpoint, sums), floats(checkpoint, counts)));
      }
      String dataset =
          checkpoint
              .metadata()
              .strings("imatrix.datasets")
              .filter(names -> names.size() > 0)
              .map(names -> new String(names.get(0), StandardCharsets.UTF_8))
              .orElse("");
      return new ImportanceMatrix(
          checkpoint.source(),
          dataset,
          checkpoint.metadata().intOr("imatrix.chunk_count", 0, 0, Integer.MAX_VALUE),
          checkpoint.metadata().intOr("imatrix.chunk_size", 0, 0, Integer.MAX_VALUE),
          entries);
    }
  }

  private static float[] floats(Checkpoint checkpoint, Tensor tensor) {
    if (tensor.type() != ElementType.F32) {
      throw new CheckpointException(
          "%s: %s: expected F32, found %s"
              .formatted(checkpoint.source(), tensor.name(), tensor.type()));
    }
    float[] values = new float[Math.toIntExact(tensor.shape().elements())];
    Dequantizer.dequantize(tensor.type(), tensor.data(), 0, values, 0, values.length);
    for (float value : values) {
      if (!(value >= 0) || !Float.isFinite(value)) {
        throw new CheckpointException(
            "%s: %s: expected finite numbers of at least 0, found %s"
                .formatted(checkpoint.source(), tensor.name(), value));
      }
    }
    return values;
  }

  /**
   * Writes a file that {@link #read} and llama-quantize read.
   *
   * @param file to be written, or replaced
   * @throws CheckpointException if it cannot be written
   */
  public void write(Path file) {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.type", Text.of("imatrix"));
    metadata.put(
        "imatrix.datasets",
        Sequence.ofStrings(new byte[][] {dataset.getBytes(StandardCharsets.UTF_8)}));
    metadata.put("imatrix.chunk_count", new Whole(MetadataType.UINT32, chunks));
    metadata.put("imatrix.chunk_size", new Whole(MetadataType.UINT32, chunkSize));
    List<TensorDescription> tensors = new ArrayList<>();
    List<float[]> data = new ArrayList<>();
    entries.forEach(
        (name, entry) -> {
          int matrices = entry.counts.length;
          tensors.add(
              new TensorDescription(
                  name + SUMS, ElementType.F32, Shape.of(matrices, entry.sums.length / matrices)));
          data.add(entry.sums);
          tensors.add(new TensorDescription(name + COUNTS, ElementType.F32, Shape.of(matrices, 1)));
          data.add(entry.counts);
        });
    try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
      data.forEach(values -> writer.write(bytes(values)));
      writer.finish();
    }
  }

  private static MemorySegment bytes(float[] values) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
    MemorySegment.copy(
        values,
        0,
        bytes,
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
        0,
        values.length);
    return bytes;
  }

  /**
   * The importance of a tensor's columns.
   *
   * @param tensor its name
   * @return one number per column; for a tensor of experts, those of each expert one after another
   */
  public Optional<float[]> find(String tensor) {
    return Optional.ofNullable(entries.get(tensor)).map(ImportanceMatrix::means);
  }

  private static float[] means(Entry entry) {
    int columns = entry.sums.length / entry.counts.length;
    float[] means = new float[entry.sums.length];
    for (int matrix = 0; matrix < entry.counts.length; matrix++) {
      int from = matrix * columns;
      float count = entry.counts[matrix];
      if (count == 0) {
        Arrays.fill(means, from, from + columns, 1);
        continue;
      }
      double mean = 0;
      for (int i = from; i < from + columns; i++) mean += entry.sums[i] / count / columns;
      for (int i = from; i < from + columns; i++) {
        means[i] = entry.sums[i] / count + FLOOR * (float) mean;
      }
    }
    return means;
  }

  /**
   * Refuses to weigh a model's columns by what another model was asked.
   *
   * @param tensors of the model
   * @param model what messages call it
   */
  void requireFit(List<TensorDescription> tensors, String model) {
    int found = 0;
    for (TensorDescription tensor : tensors) {
      Entry entry = entries.get(tensor.name());
      if (entry == null) continue;
      found++;
      long columns = tensor.shape().columns();
      long matrices = tensor.shape().rank() == 3 ? tensor.shape().size(0) : 1;
      if (entry.sums.length != columns && entry.sums.length != matrices * columns) {
        throw new CheckpointException(
            "%s: %s: expected the importance of %d x %d columns, found %d numbers; is it of another model?"
                .formatted(source, tensor.name(), matrices, columns, entry.sums.length));
      }
    }
    if (found == 0) {
      throw new CheckpointException(
          "%s: expected the importance of tensors of %s, found of none; is it of another model?"
              .formatted(source, model));
    }
  }

  /** {@return what messages call it: the name of its file} */
  public String source() {
    return source;
  }

  /** {@return the name of the text it was collected from} */
  public String dataset() {
    return dataset;
  }

  /** {@return how many tensors it knows} */
  public int size() {
    return entries.size();
  }

  /** {@return how many pieces of text it was collected from} */
  public int chunks() {
    return chunks;
  }
}
