package org.llamaj.kernel.vector;

import static jdk.incubator.vector.VectorOperators.LSHR;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.i32;
import static org.llamaj.kernel.vector.Lanes.i8;
import static org.llamaj.kernel.vector.Lanes.store;
import static org.llamaj.kernel.vector.Lanes.unsignedBytes;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Nibbles that choose one of 16 unevenly spaced levels, 32 values in 16 bytes. */
enum NonLinearFormat implements Format {
  /** Half scale, nibbles. */
  IQ4_NL {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + 18L * b;
        decodeBlock(block + 2, f16(block), target + 4L * BLOCK * b);
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(F);
      for (int b = 0; b < blocks; b++) {
        long block = weights + 18L * b;
        long xb = x + 4L * BLOCK * b;
        FloatVector t = FloatVector.zero(F);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(block + 2 + i);
          t = level(pair.and(0xF)).fma(floats(xb + 4L * i), t);
          t = level(pair.lanewise(LSHR, 4)).fma(floats(xb + 4L * (HALF + i)), t);
        }
        sum = t.fma(broadcast(f16(block)), sum);
      }
      return sum.reduceLanes(VectorOperators.ADD);
    }
  },

  /** Half scale, 8 x 2 upper bits and 8 x 4 lower bits of sub-scales, nibbles of 8 blocks. */
  IQ4_XS {
    @Override
    void decodeBlocks(long weights, int blocks, long target) {
      for (int b = 0; b < blocks; b++) {
        long superBlock = weights + 136L * (b >> 3);
        long nibbles = superBlock + 8 + 16 * (b & 7);
        decodeBlock(
            nibbles, f16(superBlock) * subScale(superBlock, b & 7), target + 4L * BLOCK * b);
      }
    }

    @Override
    float dot(long weights, long x, int blocks) {
      FloatVector sum = FloatVector.zero(F);
      for (int b = 0; b < blocks; b++) {
        long superBlock = weights + 136L * (b >> 3);
        long nibbles = superBlock + 8 + 16 * (b & 7);
        long xb = x + 4L * BLOCK * b;
        FloatVector t = FloatVector.zero(F);
        for (int i = 0; i < HALF; i += LANES) {
          IntVector pair = unsignedBytes(nibbles + i);
          t = level(pair.and(0xF)).fma(floats(xb + 4L * i), t);
          t = level(pair.lanewise(LSHR, 4)).fma(floats(xb + 4L * (HALF + i)), t);
        }
        sum = t.fma(broadcast(f16(superBlock) * subScale(superBlock, b & 7)), sum);
      }
      return sum.reduceLanes(VectorOperators.ADD);
    }
  };

  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  /** Dense around zero, where most weights are. */
  private static final float[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  // The levels in one, two or four vectors; those too many repeat the first.
  private static final IntVector LEVELS_0 = levels(0);
  private static final IntVector LEVELS_1 = levels(LANES & 15);
  private static final IntVector LEVELS_2 = levels(2 * LANES & 15);
  private static final IntVector LEVELS_3 = levels(3 * LANES & 15);

  private static IntVector levels(int from) {
    return FloatVector.fromArray(F, LEVELS, from).reinterpretAsInts();
  }

  abstract void decodeBlocks(long weights, int blocks, long target);

  abstract float dot(long weights, long x, int blocks);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decodeBlocks(weights, columns / BLOCK, target);
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, columns / BLOCK));
    }
  }

  private static int subScale(long superBlock, int block) {
    int low = i8(superBlock + 4 + (block >> 1)) >> 4 * (block & 1) & 0xF;
    int high = i32(superBlock) >>> 16 + 2 * block & 3;
    return (low | high << 4) - 32;
  }

  /** The levels with these numbers. */
  private static FloatVector level(IntVector numbers) {
    if (LANES == 16) {
      return numbers.selectFrom(LEVELS_0).reinterpretAsFloats();
    }
    IntVector low = numbers.selectFrom(LEVELS_0, LEVELS_1);
    if (LANES == 8) {
      return low.reinterpretAsFloats();
    }
    IntVector high = numbers.selectFrom(LEVELS_2, LEVELS_3);
    return low.blend(high, numbers.compare(VectorOperators.GT, 7)).reinterpretAsFloats();
  }

  private static void decodeBlock(long nibbles, float scale, long target) {
    for (int i = 0; i < HALF; i += LANES) {
      IntVector pair = unsignedBytes(nibbles + i);
      store(level(pair.and(0xF)).mul(scale), target + 4L * i);
      store(level(pair.lanewise(LSHR, 4)).mul(scale), target + 4L * (HALF + i));
    }
  }
}
