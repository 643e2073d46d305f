package org.llamaj.checkpoint.huggingface;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/** 8-bit floats times their scales, as BF16: one scale for all, for each row, or for each block. */
final class ScaledWeights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ScaledWeights() {}

  /**
   * A matrix.
   *
   * @param name in GGUF
   * @param weights [rows, columns]
   * @param scale one value, one for each row, or a matrix of blocks; null for 1
   * @param blocks whether scales are of blocks
   */
  static DerivedTensor of(String name, Tensor weights, Tensor scale, boolean blocks) {
    int rows = Math.toIntExact(weights.rows());
    int columns = Math.toIntExact(weights.columns());
    float[] scales = scale == null ? new float[] {1} : scales(scale);
    int blockRows = blocks ? Math.toIntExact(scale.rows()) : scales.length == 1 ? 1 : rows;
    int blockColumns = blocks ? Math.toIntExact(scale.columns()) : 1;
    if (scales.length != (long) blockRows * blockColumns || blockRows > rows) {
      throw new CheckpointException(
          "%s: expected a scale, or one for each of %d rows of %s, found %s"
              .formatted(scale.name(), rows, weights.name(), scale.shape()));
    }
    int high = edge(rows, blockRows);
    int wide = edge(columns, blockColumns);
    return new DerivedTensor(
        new TensorDescription(name, ElementType.BF16, weights.shape()),
        "8-bit floats with scales",
        (first, count, target) -> {
          float[] values = new float[columns];
          for (int row = 0; row < count; row++) {
            Dequantizer.dequantizeRow(weights, first + row, values, 0);
            int of = (int) ((first + row) / high) * blockColumns;
            long at = 2L * row * columns;
            for (int i = 0; i < columns; i++) {
              target.set(SHORT, at + 2L * i, bf16(values[i] * scales[of + i / wide]));
            }
          }
        });
  }

  /** Blocks are as large as a power of two; the last one may be cut. */
  private static int edge(int size, int blocks) {
    int even = Math.ceilDiv(size, blocks);
    return blocks == 1 || even * blocks == size ? even : Integer.highestOneBit(even - 1) << 1;
  }

  static float[] scales(Tensor scale) {
    if (scale.shape().elements() > 1 << 28) {
      throw new CheckpointException(
          "%s: expected fewer scales, found %s".formatted(scale.name(), scale.shape()));
    }
    return scale.toFloats();
  }

  /** The nearest, ties to even; NaN stays one. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) return (short) (bits >> 16 | 0x40);
    return (short) (bits + 0x7FFF + (bits >> 16 & 1) >> 16);
  }

  static void putBf16(MemorySegment target, long index, float value) {
    target.set(SHORT, 2 * index, bf16(value));
  }
}
