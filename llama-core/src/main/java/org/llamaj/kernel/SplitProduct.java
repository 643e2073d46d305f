package org.llamaj.kernel;

import org.llamaj.tensor.FloatMatrix;

/** y = x W^T of a weight in parts, for matrices x and y that stay where they are. */
sealed interface SplitProduct permits RowSplitProduct, ColumnSplitProduct {

  /** Whether it was made for these two. */
  boolean isOf(FloatMatrix x, FloatMatrix y);

  /** Computes the first rows of y. */
  void compute(int rows);
}
