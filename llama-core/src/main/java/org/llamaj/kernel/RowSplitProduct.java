package org.llamaj.kernel;

import java.util.List;
import org.llamaj.tensor.FloatMatrix;

/**
 * y = [x W1^T, x W2^T, ...]: each part makes some of the columns of y. Those of a single row lie
 * side by side and are written in place; those of many are made apart and copied.
 */
final class RowSplitProduct implements SplitProduct {
  private final Kernels kernels;
  private final FloatMatrix x;
  private final FloatMatrix y;
  private final Projection[] inPlace;
  private final Projection[] apart;

  RowSplitProduct(
      Kernels kernels,
      List<WeightMatrix> parts,
      FloatMatrix x,
      FloatMatrix y,
      SplitScratch scratch) {
    this.kernels = kernels;
    this.x = x;
    this.y = y;
    FloatMatrix[] ofRow = Columns.ofFirstRow(y, parts.size());
    FloatMatrix[] ofAll = scratch.slices(y, parts.size());
    inPlace = new Projection[parts.size()];
    apart = new Projection[parts.size()];
    for (int i = 0; i < parts.size(); i++) {
      inPlace[i] = new Projection(parts.get(i), ofRow[i]);
      apart[i] = new Projection(parts.get(i), ofAll[i]);
    }
  }

  @Override
  public boolean isOf(FloatMatrix x, FloatMatrix y) {
    return this.x == x && this.y == y;
  }

  @Override
  public void compute(int rows) {
    if (rows == 1) {
      kernels.project(x, 1, inPlace);
      return;
    }
    kernels.project(x, rows, apart);
    for (int i = 0; i < apart.length; i++) {
      Columns.join(apart[i].output(), i, y, rows);
    }
  }
}
