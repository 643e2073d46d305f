package org.llamaj.kernel.x86.product;

import java.util.Arrays;

/**
 * Divides the rows of a few weight matrices among threads. For those that stream them: large chunks
 * first, as a stream begins slowly with nothing prefetched, then ever smaller ones, so that all
 * threads end together however fast each is (guided self-scheduling, Polychronopoulos and Kuck
 * 1987).
 */
final class RowChunks {
  /** A chunk is this part of a thread's share of what is left. */
  private static final int SHARE = 2;

  private static final long LEAST_BYTES = 48 * 1024;

  private int count;
  private int[] matrix = new int[32];
  private int[] first = new int[32];
  private int[] rows = new int[32];

  /** Forgets the chunks. */
  void clear() {
    count = 0;
  }

  /**
   * Adds the rows of a matrix in ever smaller chunks.
   *
   * @param index of the matrix
   * @param bytesAfter the size of the matrices that are added after this one
   * @param unit what the rows of a chunk are a multiple of, but for the last
   */
  void add(int index, int rowCount, long rowBytes, long bytesAfter, int threads, int unit) {
    for (int row = 0; row < rowCount; ) {
      long left = (rowCount - row) * rowBytes + bytesAfter;
      long wanted = Math.max(LEAST_BYTES, left / (SHARE * threads));
      long units = Math.max(1, wanted / (rowBytes * unit));
      int size = (int) Math.min(units * unit, rowCount - row);
      append(index, row, size);
      row += size;
    }
  }

  /** Adds the rows of a matrix in chunks of one size, but for the last. */
  void addEqual(int index, int rowCount, int size) {
    for (int row = 0; row < rowCount; row += size) {
      append(index, row, Math.min(size, rowCount - row));
    }
  }

  private void append(int index, int firstRow, int size) {
    if (count == matrix.length) {
      matrix = Arrays.copyOf(matrix, 2 * count);
      first = Arrays.copyOf(first, 2 * count);
      rows = Arrays.copyOf(rows, 2 * count);
    }
    matrix[count] = index;
    first[count] = firstRow;
    rows[count] = size;
    count++;
  }

  int count() {
    return count;
  }

  /** Which matrix a chunk is of. */
  int matrix(int chunk) {
    return matrix[chunk];
  }

  int firstRow(int chunk) {
    return first[chunk];
  }

  int rows(int chunk) {
    return rows[chunk];
  }
}
