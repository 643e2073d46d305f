package org.llamaj.kernel;

import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.SplitTensor;

/** Looks rows up in a table in parts, for an output that stays where it is. */
final class SplitEmbedding {
  private final Kernels kernels;
  private final SplitMatrix table;
  private final FloatMatrix output;
  private final FloatMatrix[] slices;
  private final FloatMatrix oneRow;
  private final int[] id = new int[1];

  SplitEmbedding(Kernels kernels, SplitMatrix table, FloatMatrix output, SplitScratch scratch) {
    this.kernels = kernels;
    this.table = table;
    this.output = output;
    slices = scratch.slices(output, table.parts().size());
    oneRow = scratch.sum(output);
  }

  boolean isOf(FloatMatrix output) {
    return this.output == output;
  }

  void lookUp(int[] ids, int count) {
    if (table.along() == SplitTensor.Along.ROWS) {
      lookUpRows(ids, count);
    } else {
      lookUpColumns(ids, count);
    }
  }

  /** Each token's row is in one of the parts. */
  private void lookUpRows(int[] ids, int count) {
    int rowsOfPart = table.outputs() / table.parts().size();
    for (int i = 0; i < count; i++) {
      id[0] = ids[i] % rowsOfPart;
      kernels.embed(table.parts().get(ids[i] / rowsOfPart), id, 1, oneRow);
      kernels.copyRow(oneRow, 0, output, i);
    }
  }

  /** Each part has some values of every row. */
  private void lookUpColumns(int[] ids, int count) {
    for (int i = 0; i < slices.length; i++) {
      kernels.embed(table.parts().get(i), ids, count, slices[i]);
      Columns.join(slices[i], i, output, count);
    }
  }
}
