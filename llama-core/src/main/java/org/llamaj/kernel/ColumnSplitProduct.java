package org.llamaj.kernel;

import java.util.List;
import org.llamaj.tensor.FloatMatrix;

/** y = x1 W1^T + x2 W2^T + ...: each part is multiplied with some of the columns of x. */
final class ColumnSplitProduct implements SplitProduct {
  private final Kernels kernels;
  private final FloatMatrix x;
  private final FloatMatrix y;
  private final FloatMatrix sum;
  private final FloatMatrix[] inPlace;
  private final FloatMatrix[] apart;
  private final Projection[][] projections;

  ColumnSplitProduct(
      Kernels kernels,
      List<WeightMatrix> parts,
      FloatMatrix x,
      FloatMatrix y,
      SplitScratch scratch) {
    this.kernels = kernels;
    this.x = x;
    this.y = y;
    inPlace = Columns.ofFirstRow(x, parts.size());
    apart = scratch.slices(x, parts.size());
    sum = scratch.sum(y);
    projections = new Projection[parts.size()][];
    for (int i = 0; i < parts.size(); i++) {
      projections[i] = new Projection[] {new Projection(parts.get(i), i == 0 ? y : sum)};
    }
  }

  @Override
  public boolean isOf(FloatMatrix x, FloatMatrix y) {
    return this.x == x && this.y == y;
  }

  @Override
  public void compute(int rows) {
    for (int i = 0; i < projections.length; i++) {
      if (rows > 1) {
        Columns.split(x, i, apart[i], rows);
      }
      kernels.project(rows > 1 ? apart[i] : inPlace[i], rows, projections[i]);
      if (i > 0) {
        kernels.add(y, sum, rows);
      }
    }
  }
}
