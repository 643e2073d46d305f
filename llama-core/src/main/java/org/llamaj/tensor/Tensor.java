package org.llamaj.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.llamaj.LlamaException;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * A named weight, used where it lies: mostly a slice of a mapped file.
 *
 * @param name as in the checkpoint, {@code blk.0.attn_q.weight}
 * @param type how values are stored
 * @param shape outermost dimension first; rows are whole numbers of blocks
 * @param data exactly the tensor's bytes, little-endian, rows one after another
 */
public record Tensor(String name, ElementType type, Shape shape, MemorySegment data) {
  /**
   * Checks that the memory is as long as type and shape say.
   *
   * @throws LlamaException if it is not
   */
  public Tensor {
    Objects.requireNonNull(name, "name");
    long bytes;
    try {
      bytes = type.bytes(shape);
    } catch (LlamaException e) {
      throw new LlamaException(name + ": " + e.getMessage(), e);
    }
    if (data.byteSize() != bytes) {
      throw new LlamaException(
          "%s: expected %d bytes for %s %s, found %d"
              .formatted(name, bytes, type, shape, data.byteSize()));
    }
  }

  /** {@return the number of rows: the product of all dimensions but the innermost} */
  public long rows() {
    return shape.rows();
  }

  /** {@return the values of a row: the innermost dimension} */
  public long columns() {
    return shape.columns();
  }

  /** {@return the bytes of a row} */
  public long rowBytes() {
    return type.rowBytes(shape.columns());
  }

  /**
   * One row as floats, whatever its type.
   *
   * @param row from 0
   * @return {@link #columns} values, a copy
   * @throws LlamaException if there is no such row, or it is too long for an array
   */
  public float[] rowAsFloats(long row) {
    if (row < 0 || row >= rows()) {
      throw new LlamaException("%s: no row %d in a tensor of %s".formatted(name, row, shape));
    }
    float[] values = new float[arrayLength(columns())];
    Dequantizer.dequantizeRow(this, row, values, 0);
    return values;
  }

  /**
   * All values as floats, whatever their type.
   *
   * @return row after row, a copy
   * @throws LlamaException if there are too many for an array; then read row by row
   */
  public float[] toFloats() {
    float[] values = new float[arrayLength(shape.elements())];
    int columns = (int) columns();
    for (int row = 0; row < rows(); row++) {
      Dequantizer.dequantizeRow(this, row, values, row * columns);
    }
    return values;
  }

  private int arrayLength(long length) {
    if (length > Integer.MAX_VALUE - 8) {
      throw new LlamaException(
          "%s: expected fewer values than an array can hold, found %d".formatted(name, length));
    }
    return (int) length;
  }

  /**
   * One element of the outermost dimension, over the same memory: one expert of {@code [experts,
   * rows, columns]}, one row of a matrix.
   *
   * @param index from 0
   * @return a tensor of one dimension less
   * @throws LlamaException if this is a vector or the index is out of range
   */
  public Tensor slice(long index) {
    Shape inner = shape.rank() == 1 ? null : shape.inner();
    if (inner == null || index < 0 || index >= shape.size(0)) {
      throw new LlamaException("%s: no slice %d in a tensor of %s".formatted(name, index, shape));
    }
    long bytes = data.byteSize() / shape.size(0);
    return new Tensor(
        "%s[%d]".formatted(name, index), type, inner, data.asSlice(index * bytes, bytes));
  }
}
