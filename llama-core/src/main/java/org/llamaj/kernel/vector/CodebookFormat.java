package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.ByteVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.B2F;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.B;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.INT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.LONG;
import static org.llamaj.kernel.vector.Lanes.SHORT;
import static org.llamaj.kernel.vector.Lanes.f32;

import jdk.incubator.vector.FloatVector;
import org.llamaj.tensor.encoding.Codebook;

/**
 * Types whose values are points of a codebook, in super-blocks of 256. Eight values at a time are
 * looked up as the bytes of a long, which also takes their signs; vectors turn bytes into floats.
 */
enum CodebookFormat implements Format {
  /** Half scale; per 32 values 4 bytes of points, then 4 x 7 sign bits and a 4-bit sub-scale. */
  IQ2_XXS(66) {
    @Override
    void unpack(long block, long bytes, long scales) {
      float scale = half(block) / 4;
      for (int group = 0; group < 8; group++) {
        long points = block + 2 + 8 * group;
        int signsAndScale = ALL.get(INT, points + 4);
        for (int i = 0; i < 4; i++) {
          long point = IQ2_XXS_POINTS[u8(points + i)];
          ALL.set(LONG, bytes + 32 * group + 8 * i, negate(point, even(signsAndScale >>> 7 * i)));
        }
        both(scales, group, scale * (0.5f + (signsAndScale >>> 28)));
      }
    }
  },

  /** Half scale, 32 x (9-bit point, 7 sign bits), 8 x 2 sub-scales of 4 bits. */
  IQ2_XS(74) {
    @Override
    void unpack(long block, long bytes, long scales) {
      for (int eight = 0; eight < 32; eight++) {
        int pointAndSigns = u16(block + 2 + 2 * eight);
        long point = IQ2_XS_POINTS[pointAndSigns & 0x1FF];
        ALL.set(LONG, bytes + 8 * eight, negate(point, even(pointAndSigns >> 9)));
      }
      nibbleScales(half(block) / 4, block + 66, scales);
    }
  },

  /** Half scale, 32 low bytes of points, 32 bytes of signs, 8 x 4 high bit pairs, sub-scales. */
  IQ2_S(82) {
    @Override
    void unpack(long block, long bytes, long scales) {
      for (int eight = 0; eight < 32; eight++) {
        int high = u8(block + 66 + eight / 4) >> 2 * (eight % 4) & 3;
        long point = IQ2_S_POINTS[u8(block + 2 + eight) | high << 8];
        ALL.set(LONG, bytes + 8 * eight, negate(point, u8(block + 34 + eight)));
      }
      nibbleScales(half(block) / 4, block + 74, scales);
    }
  },

  /** Half scale, 64 points of 4 values, per 32 values 4 x 7 sign bits and a 4-bit sub-scale. */
  IQ3_XXS(98) {
    @Override
    void unpack(long block, long bytes, long scales) {
      float scale = half(block) / 2;
      for (int group = 0; group < 8; group++) {
        int signsAndScale = ALL.get(INT, block + 66 + 4 * group);
        for (int i = 0; i < 4; i++) {
          long points = block + 2 + 8 * group + 2 * i;
          long point = IQ3_XXS_POINTS[u8(points)] | IQ3_XXS_POINTS[u8(points + 1)] << 32;
          ALL.set(LONG, bytes + 32 * group + 8 * i, negate(point, even(signsAndScale >>> 7 * i)));
        }
        both(scales, group, scale * (0.5f + (signsAndScale >>> 28)));
      }
    }
  },

  /** Half scale, 64 low bytes of points, 8 x 8 ninth bits, 32 bytes of signs, 4 x 2 sub-scales. */
  IQ3_S(110) {
    @Override
    void unpack(long block, long bytes, long scales) {
      float scale = half(block);
      for (int group = 0; group < 8; group++) {
        int ninth = u8(block + 66 + group) << 8;
        for (int i = 0; i < 4; i++) {
          long points = block + 2 + 8 * group + 2 * i;
          long first = IQ3_S_POINTS[u8(points) | ninth >> 2 * i & 0x100];
          long second = IQ3_S_POINTS[u8(points + 1) | ninth >> 2 * i + 1 & 0x100];
          int signs = u8(block + 74 + 4 * group + i);
          ALL.set(LONG, bytes + 32 * group + 8 * i, negate(first | second << 32, signs));
        }
        int subScale = u8(block + 106 + group / 2) >> 4 * (group % 2) & 0xF;
        both(scales, group, scale * (1 + 2 * subScale));
      }
    }
  },

  /** Half scale, 32 low bytes of points, 8 x (4 x 3 high bits, 3-bit sub-scale, shift sign). */
  IQ1_S(50) {
    @Override
    void unpack(long block, long bytes, long scales) {
      float scale = half(block) / 8;
      for (int group = 0; group < 8; group++) {
        int packed = u16(block + 34 + 2 * group);
        long[] points = packed >> 15 == 1 ? IQ1_LOWER : IQ1_UPPER;
        for (int i = 0; i < 4; i++) {
          int point = u8(block + 2 + 4 * group + i) | (packed >> 3 * i & 7) << 8;
          ALL.set(LONG, bytes + 32 * group + 8 * i, points[point]);
        }
        both(scales, group, scale * (2 * (packed >> 12 & 7) + 1));
      }
    }
  },

  /**
   * 32 low bytes of points, 32 x (3 high bits, shift sign), 4 x (4 x 3-bit sub-scales, a quarter of
   * the half scale).
   */
  IQ1_M(56) {
    @Override
    void unpack(long block, long bytes, long scales) {
      int scaleBits = 0;
      for (int i = 0; i < 4; i++) {
        scaleBits |= u16(block + 48 + 2 * i) >> 12 << 4 * i;
      }
      float scale = Float.float16ToFloat((short) scaleBits) / 8;
      for (int eight = 0; eight < 32; eight++) {
        int high = u8(block + 32 + eight / 2) >> 4 * (eight % 2) & 0xF;
        int point = u8(block + eight) | (high & 7) << 8;
        ALL.set(LONG, bytes + 8 * eight, (high > 7 ? IQ1_LOWER : IQ1_UPPER)[point]);
      }
      for (int sixteen = 0; sixteen < 16; sixteen++) {
        int subScale = u16(block + 48 + sixteen / 4 * 2) >> 3 * (sixteen % 4) & 7;
        f32(scales + 4 * sixteen, scale * (2 * subScale + 1));
      }
    }
  };

  private static final int BLOCK = 256;

  private static final long[] IQ2_XXS_POINTS = points(Codebook.IQ2_XXS, 1, 0);
  private static final long[] IQ2_XS_POINTS = points(Codebook.IQ2_XS, 1, 0);
  private static final long[] IQ2_S_POINTS = points(Codebook.IQ2_S, 1, 0);
  private static final long[] IQ3_XXS_POINTS = points(Codebook.IQ3_XXS, 1, 0);
  private static final long[] IQ3_S_POINTS = points(Codebook.IQ3_S, 1, 0);

  // Points that are shifted by an eighth up or down, times 8.
  private static final long[] IQ1_UPPER = points(Codebook.IQ1, 8, 1);
  private static final long[] IQ1_LOWER = points(Codebook.IQ1, 8, -1);

  /** For 8 sign bits, the bytes of negative values. */
  private static final long[] NEGATIVE = negative();

  private final int blockBytes;

  CodebookFormat(int blockBytes) {
    this.blockBytes = blockBytes;
  }

  private static long[] points(Codebook codebook, int factor, int shift) {
    int dimensions = codebook.dimensions();
    byte[] coordinates = codebook.coordinates();
    long[] points = new long[coordinates.length / dimensions];
    for (int i = 0; i < coordinates.length; i++) {
      long value = factor * coordinates[i] + shift & 0xFF;
      points[i / dimensions] |= value << 8 * (i % dimensions);
    }
    return points;
  }

  private static long[] negative() {
    long[] masks = new long[256];
    for (int signs = 0; signs < 256; signs++) {
      for (int i = 0; i < 8; i++) {
        masks[signs] |= (signs >> i & 1) * 0xFFL << 8 * i;
      }
    }
    return masks;
  }

  /**
   * Writes the 256 values of a block without their scales.
   *
   * @param bytes receives 256 signed bytes
   * @param scales receives 16 floats
   */
  abstract void unpack(long block, long bytes, long scales);

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    long bytes = scratch.spare(BLOCK / 4 + 16);
    for (int b = 0; b < columns / BLOCK; b++) {
      unpack(weights + (long) blockBytes * b, bytes, bytes + BLOCK);
      scale(bytes, bytes + BLOCK, target + 4L * BLOCK * b);
    }
  }

  private static void scale(long bytes, long scales, long target) {
    for (int sixteen = 0; sixteen < 16; sixteen++) {
      FloatVector scale = FloatVector.broadcast(F, ALL.get(FLOAT, scales + 4L * sixteen));
      for (int i = 0; i < 16; i += LANES) {
        ((FloatVector)
                fromMemorySegment(B, ALL, bytes + 16L * sixteen + i, LE).convertShape(B2F, F, 0))
            .mul(scale)
            .intoMemorySegment(ALL, target + 4L * (16 * sixteen + i), LE);
      }
    }
  }

  /** Magnitudes are positive, so that no byte's carry reaches the next. */
  private static long negate(long magnitudes, int signs) {
    long mask = NEGATIVE[signs];
    return (magnitudes ^ mask) + (mask & 0x0101010101010101L);
  }

  /** Seven stored signs; the eighth makes the number of negative ones even. */
  private static int even(int stored) {
    int seven = stored & 0x7F;
    return seven | (Integer.bitCount(seven) & 1) << 7;
  }

  /** The scale of 32 values. */
  private static void both(long scales, int group, float scale) {
    f32(scales + 8 * group, scale);
    f32(scales + 8 * group + 4, scale);
  }

  private static void nibbleScales(float scale, long nibbles, long scales) {
    for (int sixteen = 0; sixteen < 16; sixteen++) {
      int subScale = u8(nibbles + sixteen / 2) >> 4 * (sixteen % 2) & 0xF;
      f32(scales + 4 * sixteen, scale * (0.5f + subScale));
    }
  }

  private static float half(long address) {
    return Float.float16ToFloat(ALL.get(SHORT, address));
  }

  private static int u8(long address) {
    return ALL.get(JAVA_BYTE, address) & 0xFF;
  }

  private static int u16(long address) {
    return ALL.get(SHORT, address) & 0xFFFF;
  }
}
