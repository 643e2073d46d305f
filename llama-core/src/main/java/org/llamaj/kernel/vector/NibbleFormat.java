package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i32;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.toFloat;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

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
  /** Half scale, nibbles: {@code scale * (q - 8)}. */
  Q4_0(-8) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 18L * b;
        float scale = f16(block);
        float minimum = -8 * scale;
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 2 + i);
          long at = target + 4L * (BLOCK * b + i);
          store(toFloat(pair.and(15)).mul(scale).add(minimum), at);
          store(toFloat(pair.lanewise(VectorOperators.LSHR, 4)).mul(scale).add(minimum), at + 64);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      for (int b = 0; b < blocks; b++) {
        long block = weights + 18L * b;
        long xb = x + 4L * 3 * HALF * b;
        FloatVector t = FloatVector.zero(Lanes.F);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 2 + i);
          long group = xb + 12L * i;
          t = t.add(floats(group + 2 * VECTOR_BYTES));
          t = toFloat(pair.and(15)).fma(floats(group), t);
          t = toFloat(pair.and(0xF0)).fma(floats(group + VECTOR_BYTES), t);
        }
        sum = t.fma(broadcast(f16(block)), sum);
      }
      return sum.reduceLanes(VectorOperators.ADD);
    }
  },

  /** Half scale, half minimum, nibbles: {@code scale * q + minimum}. */
  Q4_1(1) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 20L * b;
        float scale = f16(block);
        float minimum = f16(block + 2);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 4 + i);
          long at = target + 4L * (BLOCK * b + i);
          store(toFloat(pair.and(15)).mul(scale).add(minimum), at);
          store(toFloat(pair.lanewise(VectorOperators.LSHR, 4)).mul(scale).add(minimum), at + 64);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      FloatVector minima = sum;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 20L * b;
        FloatVector scale = broadcast(f16(block));
        FloatVector minimum = broadcast(f16(block + 2));
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair = unsignedBytes(block + 4 + i);
          FloatVector t = toFloat(pair.and(15)).mul(floats(group));
          t = toFloat(pair.and(0xF0)).fma(floats(group + VECTOR_BYTES), t);
          sum = t.fma(scale, sum);
          minima = minimum.fma(floats(group + 2 * VECTOR_BYTES), minima);
        }
      }
      return sum.add(minima).reduceLanes(VectorOperators.ADD);
    }
  },

  /** Half scale, fifth bits, nibbles: {@code scale * (q - 16)}. */
  Q5_0(-16) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 22L * b;
        float scale = f16(block);
        float minimum = -16 * scale;
        int fifth = i32(block + 2);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 6 + i);
          long at = target + 4L * (BLOCK * b + i);
          IntVector low = pair.and(15).or(fifthOfLow(fifth >>> i));
          IntVector high = pair.and(0xF0).or(fifthOfHigh(fifth >>> HALF + i));
          store(toFloat(low).mul(scale).add(minimum), at);
          store(toFloat(high).mul(scale / 16).add(minimum), at + 64);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      for (int b = 0; b < blocks; b++) {
        long block = weights + 22L * b;
        FloatVector scale = broadcast(f16(block));
        int fifth = i32(block + 2);
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair = unsignedBytes(block + 6 + i);
          IntVector low = pair.and(15).or(fifthOfLow(fifth >>> i));
          IntVector high = pair.and(0xF0).or(fifthOfHigh(fifth >>> HALF + i));
          FloatVector t = toFloat(low).fma(floats(group), floats(group + 2 * VECTOR_BYTES));
          t = toFloat(high).fma(floats(group + VECTOR_BYTES), t);
          sum = t.fma(scale, sum);
        }
      }
      return sum.reduceLanes(VectorOperators.ADD);
    }
  },

  /** Half scale, half minimum, fifth bits, nibbles: {@code scale * q + minimum}. */
  Q5_1(1) {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 24L * b;
        float scale = f16(block);
        float minimum = f16(block + 2);
        int fifth = i32(block + 4);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 8 + i);
          long at = target + 4L * (BLOCK * b + i);
          IntVector low = pair.and(15).or(fifthOfLow(fifth >>> i));
          IntVector high = pair.and(0xF0).or(fifthOfHigh(fifth >>> HALF + i));
          store(toFloat(low).mul(scale).add(minimum), at);
          store(toFloat(high).mul(scale / 16).add(minimum), at + 64);
        }
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(Lanes.F);
      FloatVector minima = sum;
      for (int b = 0; b < blocks; b++) {
        long block = weights + 24L * b;
        FloatVector scale = broadcast(f16(block));
        FloatVector minimum = broadcast(f16(block + 2));
        int fifth = i32(block + 4);
        for (int i = 0; i < HALF; i += LANES) {
          long group = x + 4L * 3 * (HALF * b + i);
          IntVector pair = unsignedBytes(block + 8 + i);
          IntVector low = pair.and(15).or(fifthOfLow(fifth >>> i));
          IntVector high = pair.and(0xF0).or(fifthOfHigh(fifth >>> HALF + i));
          FloatVector t = toFloat(low).mul(floats(group));
          t = toFloat(high).fma(floats(group + VECTOR_BYTES), t);
          sum = t.fma(scale, sum);
          minima = minimum.fma(floats(group + 2 * VECTOR_BYTES), minima);
        }
      }
      return sum.add(minima).reduceLanes(VectorOperators.ADD);
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
        FloatVector low = floats(x + 4L * (column + i));
        FloatVector high = floats(x + 4L * (column + i + HALF));
        long group = target + 4L * 3 * (column / 2 + i);
        store(low, group);
        store(high.mul(1f / 16), group + VECTOR_BYTES);
        store(low.add(high).mul(offset), group + 2 * VECTOR_BYTES);
      }
    }
    return target;
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, columns / BLOCK));
    }
  }

  /** Bit i of {@code bits}, in lane i, where it is the fifth bit of a low nibble. */
  private static IntVector fifthOfLow(int bits) {
    return IntVector.broadcast(Lanes.I, bits).lanewise(VectorOperators.ROR, TO_BIT_4).and(1 << 4);
  }

  /** Bit i of {@code bits}, in lane i, where it is the fifth bit of a high nibble. */
  private static IntVector fifthOfHigh(int bits) {
    return IntVector.broadcast(Lanes.I, bits).lanewise(VectorOperators.ROR, TO_BIT_8).and(1 << 8);
  }

  /** Rotations to the right that bring bit i of lane i to bit 4 or 8. */
  private static final IntVector TO_BIT_4 = IntVector.zero(Lanes.I).addIndex(1).sub(4);

  private static final IntVector TO_BIT_8 = IntVector.zero(Lanes.I).addIndex(1).sub(8);
}
