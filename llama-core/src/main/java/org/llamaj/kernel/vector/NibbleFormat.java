package org.llamaj.kernel.vector;

import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ROR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.INT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Types of 32 values in 16 bytes of nibbles, byte i holding value i below and value i + 16 above;
 * the 5-bit types have the fifth bits in an int of their own.
 *
 * <p>The dot products leave the upper nibbles where they are, 16 times too large, and the offset of
 * the quants undone. Instead the activations are arranged per block, in groups of as many byte
 * columns as there are lanes: the values for the lower nibbles, a sixteenth of the values for the
 * upper nibbles, and their sum times the offset.
 */
enum NibbleFormat implements Format {
  /** Half scale, half minimum, nibbles: {@code scale * q + minimum}. */
  Q4_1(1) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 20L * b;
        float scale = Float.float16ToFloat(ALL.get(SHORT, block));
        float minimum = Float.float16ToFloat(ALL.get(SHORT, block + 2));
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 4 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          long at = target + 4L * (BLOCK * b + i);
          ((FloatVector) pair.and(15).convert(I2F, 0))
              .mul(scale)
              .add(minimum)
              .intoMemorySegment(ALL, at, LE);
          ((FloatVector) pair.lanewise(LSHR, 4).convert(I2F, 0))
              .mul(scale)
              .add(minimum)
              .intoMemorySegment(ALL, at + 64, LE);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector minima = sum;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 20L * b;
        FloatVector scale = FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)));
        FloatVector minimum =
            FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block + 2)));
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 4 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          FloatVector t =
              ((FloatVector) pair.and(15).convert(I2F, 0))
                  .mul(fromMemorySegment(F, ALL, group, LE));
          t =
              ((FloatVector) pair.and(0xF0).convert(I2F, 0))
                  .fma(fromMemorySegment(F, ALL, group + VECTOR_BYTES, LE), t);
          sum = t.fma(scale, sum);
          minima = minimum.fma(fromMemorySegment(F, ALL, group + 2 * VECTOR_BYTES, LE), minima);
        }
      }
      return sum.add(minima).reduceLanes(ADD);
    }
  },

  /** Half scale, fifth bits, nibbles: {@code scale * (q - 16)}. */
  Q5_0(-16) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 22L * b;
        float scale = Float.float16ToFloat(ALL.get(SHORT, block));
        float minimum = -16 * scale;
        int fifth = ALL.get(INT, block + 2);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 6 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          long at = target + 4L * (BLOCK * b + i);
          IntVector low =
              pair.and(15)
                  .or(IntVector.broadcast(I, fifth >>> i).lanewise(ROR, TO_BIT_4).and(1 << 4));
          IntVector high =
              pair.and(0xF0)
                  .or(
                      IntVector.broadcast(I, fifth >>> HALF + i)
                          .lanewise(ROR, TO_BIT_8)
                          .and(1 << 8));
          ((FloatVector) low.convert(I2F, 0))
              .mul(scale)
              .add(minimum)
              .intoMemorySegment(ALL, at, LE);
          ((FloatVector) high.convert(I2F, 0))
              .mul(scale / 16)
              .add(minimum)
              .intoMemorySegment(ALL, at + 64, LE);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(F);
      for (int b = 0; b < blocks; b++) {
        long block = weights + 22L * b;
        FloatVector scale = FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)));
        int fifth = ALL.get(INT, block + 2);
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 6 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector low =
              pair.and(15)
                  .or(IntVector.broadcast(I, fifth >>> i).lanewise(ROR, TO_BIT_4).and(1 << 4));
          IntVector high =
              pair.and(0xF0)
                  .or(
                      IntVector.broadcast(I, fifth >>> HALF + i)
                          .lanewise(ROR, TO_BIT_8)
                          .and(1 << 8));
          FloatVector t =
              ((FloatVector) low.convert(I2F, 0))
                  .fma(
                      fromMemorySegment(F, ALL, group, LE),
                      fromMemorySegment(F, ALL, group + 2 * VECTOR_BYTES, LE));
          t =
              ((FloatVector) high.convert(I2F, 0))
                  .fma(fromMemorySegment(F, ALL, group + VECTOR_BYTES, LE), t);
          sum = t.fma(scale, sum);
        }
      }
      return sum.reduceLanes(ADD);
    }
  },

  /** Half scale, half minimum, fifth bits, nibbles: {@code scale * q + minimum}. */
  Q5_1(1) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 24L * b;
        float scale = Float.float16ToFloat(ALL.get(SHORT, block));
        float minimum = Float.float16ToFloat(ALL.get(SHORT, block + 2));
        int fifth = ALL.get(INT, block + 4);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 8 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          long at = target + 4L * (BLOCK * b + i);
          IntVector low =
              pair.and(15)
                  .or(IntVector.broadcast(I, fifth >>> i).lanewise(ROR, TO_BIT_4).and(1 << 4));
          IntVector high =
              pair.and(0xF0)
                  .or(
                      IntVector.broadcast(I, fifth >>> HALF + i)
                          .lanewise(ROR, TO_BIT_8)
                          .and(1 << 8));
          ((FloatVector) low.convert(I2F, 0))
              .mul(scale)
              .add(minimum)
              .intoMemorySegment(ALL, at, LE);
          ((FloatVector) high.convert(I2F, 0))
              .mul(scale / 16)
              .add(minimum)
              .intoMemorySegment(ALL, at + 64, LE);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(F);
      FloatVector minima = sum;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 24L * b;
        FloatVector scale = FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block)));
        FloatVector minimum =
            FloatVector.broadcast(F, Float.float16ToFloat(ALL.get(SHORT, block + 2)));
        int fifth = ALL.get(INT, block + 4);
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair =
              ((IntVector)
                  fromMemorySegment(B, ALL, block + 8 + i, LE).convertShape(ZERO_EXTEND_B2I, I, 0));
          IntVector low =
              pair.and(15)
                  .or(IntVector.broadcast(I, fifth >>> i).lanewise(ROR, TO_BIT_4).and(1 << 4));
          IntVector high =
              pair.and(0xF0)
                  .or(
                      IntVector.broadcast(I, fifth >>> HALF + i)
                          .lanewise(ROR, TO_BIT_8)
                          .and(1 << 8));
          FloatVector t =
              ((FloatVector) low.convert(I2F, 0)).mul(fromMemorySegment(F, ALL, group, LE));
          t =
              ((FloatVector) high.convert(I2F, 0))
                  .fma(fromMemorySegment(F, ALL, group + VECTOR_BYTES, LE), t);
          sum = t.fma(scale, sum);
          minima = minimum.fma(fromMemorySegment(F, ALL, group + 2 * VECTOR_BYTES, LE), minima);
        }
      }
      return sum.add(minima).reduceLanes(ADD);
    }
  };

  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  private final float offset;

  NibbleFormat(float offset) {
    this.offset = offset;
  }

  abstract void decodeBlocks(long weights, int blocks, long target);

  abstract float dot(long weights, long x, int blocks);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  @Override
  public int preparedFloats(int columns) {
    return columns / 2 * 3;
  }

  @Override
  public long prepare(long x, int columns, long target) {
    for (int column = 0; column < columns; column += BLOCK) {
      for (int i = 0; i < HALF; i += LANES) {
        FloatVector low = fromMemorySegment(F, ALL, x + 4L * (column + i), LE);
        FloatVector high = fromMemorySegment(F, ALL, x + 4L * (column + i + HALF), LE);
        long group = target + 4L * 3 * (column / 2 + i);
        low.intoMemorySegment(ALL, group, LE);
        high.mul(1f / 16).intoMemorySegment(ALL, group + VECTOR_BYTES, LE);
        low.add(high).mul(offset).intoMemorySegment(ALL, group + 2 * VECTOR_BYTES, LE);
      }
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      ALL.set(FLOAT, output + 4L * i, dot(weights + i * rowBytes, x, columns / BLOCK));
    }
  }

  /**
   * Rotations to the right that bring bit i, in lane i, to bit 4 or 8: where it is the fifth bit of
   * a lower or an upper nibble.
   */
  private static final IntVector TO_BIT_4 = IntVector.zero(I).addIndex(1).sub(4);

  private static final IntVector TO_BIT_8 = IntVector.zero(I).addIndex(1).sub(8);
}
