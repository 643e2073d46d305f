package org.llamaj.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.llamaj.LlamaException;

/**
 * A matrix in several parts of the same shape and type, each used where it lies, as tensor
 * parallelism splits it over devices (Shoeybi et al. 2019, section 3).
 *
 * @param name as in the checkpoint, {@code blk.0.attn_q.weight}
 * @param along which dimension is split
 * @param parts at least one, in order
 */
public record SplitTensor(String name, Along along, List<Tensor> parts) {

  /** The dimension of a matrix that is split. */
  public enum Along {
    /** Each part has some of the rows, all columns long: y = [W1 x, W2 x, ...]. */
    ROWS,
    /** Each part has some of the columns of every row: y = W1 x1 + W2 x2 + ... */
    COLUMNS
  }

  /**
   * Checks that the parts are matrices of one shape and type.
   *
   * @throws LlamaException if they are not
   */
  public SplitTensor {
    parts = List.copyOf(parts);
    Tensor first = parts.getFirst();
    if (first.shape().rank() != 2) {
      throw new LlamaException("%s: expected a matrix, found %s".formatted(name, first.shape()));
    }
    for (Tensor part : parts) {
      if (!part.shape().equals(first.shape()) || part.type() != first.type()) {
        throw new LlamaException(
            "%s: expected parts of %s %s, found %s %s"
                .formatted(name, first.type(), first.shape(), part.type(), part.shape()));
      }
    }
  }

  /** {@return how values are stored} */
  public ElementType type() {
    return parts.getFirst().type();
  }

  /** {@return the shape of all parts together} */
  public Shape shape() {
    Shape part = parts.getFirst().shape();
    return switch (along) {
      case ROWS -> Shape.of(part.size(0) * parts.size(), part.size(1));
      case COLUMNS -> Shape.of(part.size(0), part.size(1) * parts.size());
    };
  }

  /**
   * Makes neighbouring rows of the whole.
   *
   * @param first the first of them
   * @param count how many
   * @param target receives their bytes
   */
  public void copyRows(long first, int count, MemorySegment target) {
    long bytes = parts.getFirst().rowBytes();
    long rowsOfPart = parts.getFirst().rows();
    long at = 0;
    for (long row = first; row < first + count; row++) {
      switch (along) {
        case ROWS -> {
          Tensor part = parts.get((int) (row / rowsOfPart));
          MemorySegment.copy(part.data(), row % rowsOfPart * bytes, target, at, bytes);
          at += bytes;
        }
        case COLUMNS -> {
          for (Tensor part : parts) {
            MemorySegment.copy(part.data(), row * bytes, target, at, bytes);
            at += bytes;
          }
        }
      }
    }
  }
}
