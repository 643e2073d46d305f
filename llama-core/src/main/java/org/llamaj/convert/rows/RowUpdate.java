package org.llamaj.convert.rows;

/** What is added to the rows of a tensor. Thread-safe. */
@FunctionalInterface
public interface RowUpdate {
  /** Nothing. */
  RowUpdate NONE = (_, _, _) -> {};

  /**
   * Adds to a row.
   *
   * @param row of the tensor
   * @param values receives the sums
   * @param offset where the row begins in them
   */
  void add(long row, float[] values, int offset);
}
