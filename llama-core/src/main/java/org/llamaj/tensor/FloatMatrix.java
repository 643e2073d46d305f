package org.llamaj.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Activations: a dense row-major matrix of float32 outside the heap, so that kernels of any kind
 * (Java, assembled machine code, a device copy) use the same memory.
 *
 * <p>Several threads may write disjoint parts at once. The memory lives as long as its arena.
 *
 * @param data rows x columns float32 in native byte order, 64-byte aligned when made by {@link
 *     #allocate}
 * @param rows number of rows, one per token in most uses
 * @param columns values per row
 */
public record FloatMatrix(MemorySegment data, int rows, int columns) {

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Checks that the memory holds exactly the matrix. */
  public FloatMatrix {
    Objects.requireNonNull(data, "data");
    if (rows < 0 || columns <= 0 || data.byteSize() != 4L * rows * columns) {
      throw new IllegalArgumentException(
          "expected %d x %d float32 values, found %d bytes"
              .formatted(rows, columns, data.byteSize()));
    }
  }

  /**
   * A zeroed matrix.
   *
   * @param arena owns the memory
   * @param rows number of rows
   * @param columns values per row
   * @return the matrix, 64-byte aligned
   */
  public static FloatMatrix allocate(Arena arena, int rows, int columns) {
    return new FloatMatrix(arena.allocate(4L * rows * columns, 64), rows, columns);
  }

  /**
   * The address of the first value, for kernels that compute addresses themselves.
   *
   * @return a raw address
   */
  public long address() {
    return data.address();
  }

  /**
   * One value.
   *
   * @param row from 0
   * @param column from 0
   * @return the value
   */
  public float get(int row, int column) {
    return data.get(FLOAT, offset(row, column));
  }

  /**
   * Sets one value.
   *
   * @param row from 0
   * @param column from 0
   * @param value the value
   */
  public void set(int row, int column, float value) {
    data.set(FLOAT, offset(row, column), value);
  }

  /**
   * Copies a row out.
   *
   * @param row from 0
   * @param target receives {@link #columns} values from index 0 on
   */
  public void copyRow(int row, float[] target) {
    MemorySegment.copy(data, FLOAT, offset(row, 0), target, 0, columns);
  }

  /**
   * Copies values into a row.
   *
   * @param row from 0
   * @param source holds {@link #columns} values from index 0 on
   */
  public void setRow(int row, float[] source) {
    MemorySegment.copy(source, 0, data, FLOAT, offset(row, 0), columns);
  }

  /**
   * The same memory seen as a matrix of other proportions, for example one row per head.
   *
   * @param newColumns values per row of the view; must divide the number of values
   * @return a view
   */
  public FloatMatrix withColumns(int newColumns) {
    long values = (long) rows * columns;
    return new FloatMatrix(data, Math.toIntExact(values / newColumns), newColumns);
  }

  /**
   * The memory of one row.
   *
   * @param row from 0
   * @return {@link #columns} float32 values
   */
  public MemorySegment row(int row) {
    return data.asSlice(offset(row, 0), 4L * columns);
  }

  /**
   * Some rows of this matrix.
   *
   * @param first the first row
   * @param count how many
   * @return a view
   */
  public FloatMatrix rows(int first, int count) {
    return new FloatMatrix(
        data.asSlice(4L * first * columns, 4L * count * columns), count, columns);
  }

  private long offset(int row, int column) {
    return 4L * ((long) row * columns + column);
  }
}
