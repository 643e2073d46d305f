package org.llamaj.convert.rows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Consumer;
import org.llamaj.LlamaException;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;
import org.llamaj.tensor.quantize.Quantizer;

/**
 * Converts tensors on all threads: some rows on each, then these are handed on, then the next. Used
 * by one thread.
 */
public final class RowConverter {
  /** Values that a thread converts at a time, unless a row has more. */
  private static final int PIECE_VALUES = 1 << 17;

  /** Pieces of a thread between two writes: enough to even out threads of different speed. */
  private static final int PIECES_PER_THREAD = 8;

  private static final long COPY_BYTES = 8L << 20;
  private static final float[] NONE = {};

  private final Workers workers;
  private final Arena arena;
  private final float[][] values; // by worker
  private final Map<ElementType, Quantizer[]> quantizers = new EnumMap<>(ElementType.class);
  private MemorySegment buffer = MemorySegment.NULL;

  /**
   * A converter.
   *
   * @param workers the threads
   * @param arena owns the buffers
   */
  public RowConverter(Workers workers, Arena arena) {
    this.workers = workers;
    this.arena = arena;
    values = new float[workers.threads()][0];
  }

  /**
   * Converts a tensor.
   *
   * @param tensor the tensor
   * @param type of the result
   * @param importance of the columns, for each matrix of the tensor one after another, or null
   * @param order which row comes where, or null for the tensor's own order
   * @param update what is added to the rows first
   * @param target receives the bytes of the result from the first to the last; they are valid until
   *     it returns
   * @throws LlamaException if the tensor holds what cannot be quantised
   */
  public void convert(
      Tensor tensor,
      ElementType type,
      float[] importance,
      RowOrder order,
      RowUpdate update,
      Consumer<MemorySegment> target) {
    if (type != tensor.type() || update != RowUpdate.NONE) {
      RowOrder rows = order == null ? row -> row : order;
      convertRows(tensor, type, importance == null ? NONE : importance, rows, update, target);
    } else if (order != null) {
      copyRows(tensor, order, target);
    } else {
      copy(tensor, target);
    }
  }

  private void copyRows(Tensor tensor, RowOrder order, Consumer<MemorySegment> target) {
    long rowBytes = tensor.rowBytes();
    int rows = (int) Math.clamp(COPY_BYTES / rowBytes, 1, tensor.rows());
    reserve(rows * rowBytes);
    for (long first = 0; first < tensor.rows(); first += rows) {
      int count = (int) Math.min(rows, tensor.rows() - first);
      for (int i = 0; i < count; i++) {
        MemorySegment.copy(
            tensor.data(), order.source(first + i) * rowBytes, buffer, i * rowBytes, rowBytes);
      }
      target.accept(buffer.asSlice(0, count * rowBytes));
    }
  }

  private static void copy(Tensor tensor, Consumer<MemorySegment> target) {
    for (long from = 0; from < tensor.data().byteSize(); from += COPY_BYTES) {
      long bytes = Math.min(COPY_BYTES, tensor.data().byteSize() - from);
      target.accept(tensor.data().asSlice(from, bytes));
    }
  }

  private void convertRows(
      Tensor tensor,
      ElementType type,
      float[] importance,
      RowOrder order,
      RowUpdate update,
      Consumer<MemorySegment> target) {
    int columns = Math.toIntExact(tensor.columns());
    long rowsOfMatrix =
        tensor.shape().rank() == 1 ? 1 : tensor.shape().size(tensor.shape().rank() - 2);
    int pieceRows = (int) Math.clamp(PIECE_VALUES / columns, 1, rowsOfMatrix);
    long rowBytes = type.rowBytes(columns);
    int pieces = PIECES_PER_THREAD * workers.threads();
    reserve(pieces * pieceRows * rowBytes);
    Quantizer[] ofType = quantizers.computeIfAbsent(type, this::newQuantizers);
    for (long matrix = 0; matrix * rowsOfMatrix < tensor.rows(); matrix++) {
      float[] weights = ofMatrix(importance, columns, Math.toIntExact(matrix));
      long end = (matrix + 1) * rowsOfMatrix;
      for (long first = matrix * rowsOfMatrix; first < end; first += (long) pieces * pieceRows) {
        long from = first;
        int rows = (int) Math.min((long) pieces * pieceRows, end - first);
        workers.run(
            Math.ceilDiv(rows, pieceRows),
            (piece, worker) -> {
              int firstOfPiece = piece * pieceRows;
              int count = Math.min(pieceRows, rows - firstOfPiece);
              float[] floats = values(worker, count * columns);
              for (int i = 0; i < count; i++) {
                long row = order.source(from + firstOfPiece + i);
                Dequantizer.dequantizeRow(tensor, row, floats, i * columns);
                update.add(row, floats, i * columns);
              }
              quantize(
                  tensor,
                  from + firstOfPiece,
                  ofType[worker],
                  floats,
                  columns,
                  count,
                  weights,
                  firstOfPiece * rowBytes);
            });
        target.accept(buffer.asSlice(0, rows * rowBytes));
      }
    }
  }

  private void quantize(
      Tensor tensor,
      long row,
      Quantizer quantizer,
      float[] floats,
      int columns,
      int rows,
      float[] weights,
      long offset) {
    try {
      quantizer.quantize(floats, columns, rows, weights, buffer, offset);
    } catch (LlamaException e) {
      throw new LlamaException(
          "%s, rows from %d on: %s".formatted(tensor.name(), row, e.getMessage()), e);
    }
  }

  private static float[] ofMatrix(float[] importance, int columns, int matrix) {
    if (importance.length <= columns) return importance;
    return Arrays.copyOfRange(importance, matrix * columns, (matrix + 1) * columns);
  }

  private Quantizer[] newQuantizers(ElementType type) {
    Quantizer[] one = new Quantizer[workers.threads()];
    for (int i = 0; i < one.length; i++) one[i] = Quantizer.of(type);
    return one;
  }

  private float[] values(int worker, int count) {
    if (values[worker].length < count) values[worker] = new float[count];
    return values[worker];
  }

  private void reserve(long bytes) {
    if (buffer.byteSize() < bytes) buffer = arena.allocate(bytes, 64);
  }
}
