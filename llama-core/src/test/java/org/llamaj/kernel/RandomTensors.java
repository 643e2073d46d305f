package org.llamaj.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/**
 * Tensors and matrices of seeded random values. Quantised blocks are random bytes, which reach
 * every code point, with scales of a size that models have.
 */
public final class RandomTensors {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Arena arena;
  private final Random random;

  /**
   * @param arena owns the memory
   * @param seed same seed, same values
   */
  public RandomTensors(Arena arena, long seed) {
    this.arena = arena;
    this.random = new Random(seed);
  }

  /**
   * A matrix of normally distributed values.
   *
   * @param rows rows
   * @param columns columns
   * @return a new matrix
   */
  public FloatMatrix matrix(int rows, int columns) {
    FloatMatrix matrix = FloatMatrix.allocate(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.set(row, column, (float) random.nextGaussian());
      }
    }
    return matrix;
  }

  /**
   * A weight matrix whose memory starts at an address that is even and no more, as in files that
   * align nothing.
   *
   * @param type any type the dequantiser reads
   * @param rows rows
   * @param columns a multiple of the block size
   * @return a new tensor
   */
  public Tensor tensor(ElementType type, int rows, int columns) {
    long bytes = type.rowBytes(columns) * rows;
    MemorySegment data = arena.allocate(bytes + 64, 64).asSlice(2, bytes);
    fill(type, data);
    return new Tensor("test." + type, type, Shape.of(rows, columns), data);
  }

  private void fill(ElementType type, MemorySegment data) {
    switch (type) {
      case F32 -> {
        for (long at = 0; at < data.byteSize(); at += 4) {
          data.set(FLOAT, at, (float) random.nextGaussian());
        }
      }
      case F16 -> {
        for (long at = 0; at < data.byteSize(); at += 2) {
          data.set(SHORT, at, half((float) random.nextGaussian()));
        }
      }
      case BF16 -> {
        for (long at = 0; at < data.byteSize(); at += 2) {
          float value = (float) random.nextGaussian();
          data.set(SHORT, at, (short) (Float.floatToRawIntBits(value) >>> 16));
        }
      }
      default -> {
        byte[] bytes = new byte[Math.toIntExact(data.byteSize())];
        random.nextBytes(bytes);
        MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
        for (long block = 0; block < data.byteSize(); block += type.blockBytes()) {
          setScales(type, data, block);
        }
      }
    }
  }

  private void setScales(ElementType type, MemorySegment data, long block) {
    switch (type) {
      case Q8_K -> data.set(FLOAT, block, scale());
      case Q4_1, Q5_1, Q4_K, Q5_K -> halves(data, block, 0, 2);
      case Q2_K -> halves(data, block, 80, 82);
      case Q3_K -> halves(data, block, 108);
      case Q6_K -> halves(data, block, 208);
      case TQ1_0 -> halves(data, block, 52);
      case TQ2_0 -> halves(data, block, 64);
      case MXFP4 -> data.set(ValueLayout.JAVA_BYTE, block, (byte) (120 + random.nextInt(8)));
      case NVFP4 -> {
        for (int i = 0; i < 4; i++) {
          data.set(ValueLayout.JAVA_BYTE, block + i, (byte) (8 * (3 + random.nextInt(6))));
        }
      }
      // The scale's four nibbles are the top nibbles of four 16-bit words, lowest first.
      case IQ1_M -> {
        int scale = half(scale());
        for (int i = 0; i < 4; i++) {
          long at = block + 48 + 2 * i;
          int word = data.get(SHORT, at) & 0xFFF | (scale >> 4 * i & 0xF) << 12;
          data.set(SHORT, at, (short) word);
        }
      }
      default -> halves(data, block, 0);
    }
  }

  private void halves(MemorySegment data, long block, int... offsets) {
    Arrays.stream(offsets).forEach(offset -> data.set(SHORT, block + offset, half(scale())));
  }

  private float scale() {
    return (0.5f + random.nextFloat()) * (random.nextBoolean() ? 0.01f : -0.01f);
  }

  private static short half(float value) {
    return Float.floatToFloat16(value);
  }
}
