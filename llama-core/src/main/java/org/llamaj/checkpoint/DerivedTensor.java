package org.llamaj.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.LongStream;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.Tensor;

/**
 * A tensor that the files hold in another form than kernels read: turned round, in several parts,
 * or with scales apart. It is made in memory when it is wanted; nothing is read before.
 */
public final class DerivedTensor {
  private static final long CHUNK_BYTES = 1 << 20;
  private static final long ALIGNMENT = 64;

  /** Makes rows of the tensor. Called by several threads at once, each with rows of its own. */
  @FunctionalInterface
  public interface RowMaker {
    /**
     * Makes neighbouring rows.
     *
     * @param first the first of them
     * @param count how many
     * @param target exactly their bytes
     */
    void make(long first, int count, MemorySegment target);
  }

  private final TensorDescription description;
  private final String how;
  private final RowMaker rows;
  private final Optional<SplitTensor> parts;

  /**
   * A recipe.
   *
   * @param description of the tensor
   * @param how it is made, for people: {@code transposed}
   * @param rows makes it
   */
  public DerivedTensor(TensorDescription description, String how, RowMaker rows) {
    this(description, how, rows, Optional.empty());
  }

  private DerivedTensor(
      TensorDescription description, String how, RowMaker rows, Optional<SplitTensor> parts) {
    this.description = Objects.requireNonNull(description, "description");
    this.how = Objects.requireNonNull(how, "how");
    this.rows = Objects.requireNonNull(rows, "rows");
    this.parts = parts;
  }

  /**
   * The recipe of a matrix in several parts. Who can use it in these has no need to make it.
   *
   * @param parts where they lie
   * @return makes one tensor of them
   */
  public static DerivedTensor joined(SplitTensor parts) {
    return new DerivedTensor(
        new TensorDescription(parts.name(), parts.type(), parts.shape()),
        "put together from %d parts".formatted(parts.parts().size()),
        parts::copyRows,
        Optional.of(parts));
  }

  /** {@return the parts of a matrix, if it is one in several parts that may be used so} */
  public Optional<SplitTensor> parts() {
    return parts;
  }

  /** {@return name, type and shape of the tensor} */
  public TensorDescription description() {
    return description;
  }

  /** {@return how it is made, for people: {@code transposed}} */
  public String how() {
    return how;
  }

  /**
   * Makes the tensor, in parallel.
   *
   * @param arena owns its memory
   * @return the tensor
   * @throws CheckpointException if the memory is not to be had, or the checkpoint is closed
   */
  public Tensor make(Arena arena) {
    long bytes = description.bytes();
    MemorySegment memory;
    try {
      memory = arena.allocate(bytes, ALIGNMENT);
    } catch (OutOfMemoryError e) {
      throw new CheckpointException(
          "%s: no memory for %d MiB (%s): convert the model to GGUF, which is used where it lies"
              .formatted(description.name(), bytes >> 20, how),
          e);
    }
    long rowCount = description.shape().rows();
    long rowBytes = bytes / rowCount;
    long chunk = Math.max(1, Math.min(CHUNK_BYTES / Math.max(1, rowBytes), 256));
    LongStream.range(0, Math.ceilDiv(rowCount, chunk))
        .parallel()
        .forEach(
            index -> {
              long first = index * chunk;
              int count = (int) Math.min(chunk, rowCount - first);
              rows.make(first, count, memory.asSlice(first * rowBytes, count * rowBytes));
            });
    return new Tensor(description.name(), description.type(), description.shape(), memory);
  }
}
