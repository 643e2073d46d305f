package org.llamaj.kernel.vector;

import org.llamaj.kernel.Workers;

/**
 * An operation on each row by itself. Small ones are done by the calling thread: waking the others
 * takes longer.
 */
abstract class RowOperation implements Workers.Task {
  /** Values below which the work is not shared out. */
  private static final int SHARED_VALUES = 1 << 14;

  private int rows;
  private int chunkRows;

  final void run(Workers workers, int rows, int columns) {
    this.rows = rows;
    this.chunkRows = Math.max(1, SHARED_VALUES / 4 / columns);
    if ((long) rows * columns < SHARED_VALUES) {
      chunkRows = rows;
    }
    workers.run(Math.ceilDiv(rows, chunkRows), this);
  }

  @Override
  public final void run(int chunk, int worker) {
    int end = Math.min(rows, (chunk + 1) * chunkRows);
    for (int row = chunk * chunkRows; row < end; row++) {
      row(row, worker);
    }
  }

  /** Does one row with the scratch of a worker. */
  abstract void row(int row, int worker);
}
