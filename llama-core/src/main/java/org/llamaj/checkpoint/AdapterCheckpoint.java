package org.llamaj.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;
import org.llamaj.checkpoint.gguf.GgufAdapterReader;
import org.llamaj.checkpoint.huggingface.PeftReader;
import org.llamaj.tensor.Tensor;

/**
 * An open LoRA adapter (Hu et al. 2021): for some weights W of a model, what is to be added to
 * them, s B A, where A and B are thin matrices over the mapped file.
 *
 * <p>Thread-safe. The memory of the tensors is valid until {@link #close}.
 */
public final class AdapterCheckpoint implements AutoCloseable {

  /**
   * What is added to one weight.
   *
   * @param down A, [rank, inputs]
   * @param up B, [outputs, rank]
   * @param scaling s: alpha / rank in most adapters
   */
  public record Pair(Tensor down, Tensor up, double scaling) {}

  private final Checkpoint file;
  private final String source;
  private final Optional<String> architecture;
  private final Predicate<String> halfSplit;
  private final SequencedMap<String, Pair> pairs;
  private final Arena reordered = Arena.ofShared();

  /**
   * An adapter of any format, already validated.
   *
   * @param file holds the tensors; closed with this
   * @param source what messages call it
   * @param architecture of the model it is for, where the file says so
   * @param halfSplit whether it keeps rotary pairs of queries and keys half a head apart, by the
   *     architecture of the model
   * @param pairs by the name of the weight in GGUF
   */
  public AdapterCheckpoint(
      Checkpoint file,
      String source,
      Optional<String> architecture,
      Predicate<String> halfSplit,
      SequencedMap<String, Pair> pairs) {
    this.file = file;
    this.source = source;
    this.architecture = architecture;
    this.halfSplit = halfSplit;
    this.pairs = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(pairs));
  }

  /**
   * Opens an adapter; no tensor is read.
   *
   * @param path a GGUF file with an adapter; or a directory as PEFT writes it, with {@code
   *     adapter_config.json} and {@code adapter_model.safetensors}, or one of these two files
   * @return to be closed by the caller
   * @throws CheckpointException if it is no adapter, damaged, or uses what is not supported
   */
  public static AdapterCheckpoint open(Path path) {
    if (Files.isDirectory(path)) {
      return PeftReader.open(path);
    }
    return PeftReader.isPartOfOne(path)
        ? PeftReader.open(path.toAbsolutePath().getParent())
        : GgufAdapterReader.open(path);
  }

  /** {@return what messages call it: the name of its file or directory} */
  public String source() {
    return source;
  }

  /**
   * The pairs as they are in the file.
   *
   * @return by the name of the weight in GGUF
   */
  public SequencedMap<String, Pair> pairs() {
    return pairs;
  }

  /**
   * The pairs for a model, whose query and key weights may have their rows in another order than
   * the adapter's: then those are copied into the model's order.
   *
   * @param architecture the model's
   * @param modelHalfSplit whether the model's rotary pairs are half a head apart
   * @param headDim the model's
   * @return by the name of the weight in GGUF
   * @throws CheckpointException if the adapter is for another architecture
   */
  public SequencedMap<String, Pair> pairsFor(
      String architecture, boolean modelHalfSplit, int headDim) {
    if (this.architecture.isPresent() && !this.architecture.get().equals(architecture)) {
      throw new CheckpointException(
          "%s: general.architecture: expected %s as the model has, found %s"
              .formatted(source, architecture, this.architecture.get()));
    }
    if (halfSplit.test(architecture) == modelHalfSplit) {
      return pairs;
    }
    LongUnaryOperator place =
        modelHalfSplit
            ? row -> RotaryRows.interleaved(row, headDim)
            : row -> RotaryRows.halfSplit(row, headDim);
    SequencedMap<String, Pair> all = new LinkedHashMap<>();
    pairs.forEach(
        (weight, pair) ->
            all.put(
                weight,
                RotaryRows.areIn(weight)
                    ? new Pair(pair.down, reorder(pair.up, headDim, place), pair.scaling)
                    : pair));
    return all;
  }

  private Tensor reorder(Tensor up, int headDim, LongUnaryOperator place) {
    if (up.rows() % headDim != 0) {
      throw new CheckpointException(
          "%s: %s: expected a multiple of %d rows, those of a head, found %d; the adapter is for another model"
              .formatted(source, up.name(), headDim, up.rows()));
    }
    MemorySegment copy = reordered.allocate(up.data().byteSize(), 64);
    long bytes = up.rowBytes();
    for (long row = 0; row < up.rows(); row++) {
      MemorySegment.copy(up.data(), place.applyAsLong(row) * bytes, copy, row * bytes, bytes);
    }
    return new Tensor(up.name(), up.type(), up.shape(), copy);
  }

  /** Gives the memory back. A second call does nothing. */
  @Override
  public synchronized void close() {
    file.close();
    if (reordered.scope().isAlive()) {
      reordered.close();
    }
  }
}
