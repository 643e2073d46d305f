package org.llamaj.kernel.x86;

import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.machine.MachineCode;

/**
 * Applies a function to each row of a batch: on the calling thread if that is little work, else on
 * all. A row is the work of a few microseconds.
 */
final class RowTasks {
  /** Values below which other threads are not worth waking. */
  private static final int SMALL = 16 * 1024;

  private static final int CHUNK_VALUES = 8 * 1024;

  private final Workers workers;
  private final Workers.Task task = this::runChunk;

  private MachineCode code;
  private int rows;
  private int chunkRows;
  private long first;
  private long firstStride;
  private long second;
  private long secondStride;
  private long third;
  private long thirdStride;
  private long fourth;
  private long fifth;

  RowTasks(Workers workers) {
    this.workers = workers;
  }

  /** The function's first three arguments, for row 0. */
  RowTasks arguments(long forFirst, long forSecond, long forThird) {
    first = forFirst;
    second = forSecond;
    third = forThird;
    return this;
  }

  /** What is added to the first three arguments from row to row. */
  RowTasks strides(long ofFirst, long ofSecond, long ofThird) {
    firstStride = ofFirst;
    secondStride = ofSecond;
    thirdStride = ofThird;
    return this;
  }

  /** The arguments that are the same for all rows. */
  RowTasks constants(long forFourth, long forFifth) {
    fourth = forFourth;
    fifth = forFifth;
    return this;
  }

  /**
   * @param function called once for each row
   * @param rowCount how many rows
   * @param rowValues the work of a row
   */
  void run(MachineCode function, int rowCount, int rowValues) {
    code = function;
    rows = rowCount;
    if ((long) rowCount * rowValues <= SMALL) {
      runRows(0, rowCount);
    } else {
      chunkRows = Math.max(1, CHUNK_VALUES / rowValues);
      workers.run(Math.ceilDiv(rowCount, chunkRows), task);
    }
  }

  private void runChunk(int chunk, int worker) {
    runRows(chunk * chunkRows, Math.min(rows, (chunk + 1) * chunkRows));
  }

  private void runRows(int from, int to) {
    for (long row = from; row < to; row++) {
      code.callShort(
          first + row * firstStride,
          second + row * secondStride,
          third + row * thirdStride,
          fourth,
          fifth,
          0);
    }
  }
}
