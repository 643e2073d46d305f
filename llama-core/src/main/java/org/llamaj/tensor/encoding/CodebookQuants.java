package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.i32;
import static org.llamaj.tensor.encoding.LittleEndian.u16;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Two and three bits: the magnitudes of 8 (or twice 4) neighbouring values are a point of a
 * codebook, their signs stand apart. Super-blocks of 256 values, 8 groups of 32.
 */
final class CodebookQuants {
  private CodebookQuants() {}

  /** half scale; per group 4 bytes of points, then 4 x 7 sign bits and a 4-bit sub-scale. */
  static void decodeIQ2_XXS(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int group = 0; group < 8; group++) {
      long points = offset + 2 + 8 * group;
      int signsAndScale = i32(source, points + 4);
      float subScale = scale * (0.5f + (signsAndScale >>> 28)) * 0.25f;
      for (int i = 0; i < 4; i++) {
        int signs = evenSigns(signsAndScale >>> 7 * i);
        point(Codebook.IQ2_XXS, u8(source, points + i), signs, subScale, out, at);
        at += 8;
      }
    }
  }

  /** half scale, 32 x (9-bit point, 7 sign bits), 8 x 2 sub-scales of 4 bits. */
  static void decodeIQ2_XS(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int eight = 0; eight < 32; eight++) {
      int pointAndSigns = u16(source, offset + 2 + 2 * eight);
      float subScale = halfGroupScale(scale, source, offset + 66, eight);
      int signs = evenSigns(pointAndSigns >> 9);
      point(Codebook.IQ2_XS, pointAndSigns & 0x1FF, signs, subScale, out, at + 8 * eight);
    }
  }

  /** half scale, 32 low bytes of points, 32 bytes of signs, 8 x 4 high bit pairs, sub-scales. */
  static void decodeIQ2_S(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int eight = 0; eight < 32; eight++) {
      int high = u8(source, offset + 66 + eight / 4) >> 2 * (eight % 4) & 3;
      int point = u8(source, offset + 2 + eight) | high << 8;
      int signs = u8(source, offset + 34 + eight);
      float subScale = halfGroupScale(scale, source, offset + 74, eight);
      point(Codebook.IQ2_S, point, signs, subScale, out, at + 8 * eight);
    }
  }

  /** The 4-bit sub-scale of 16 values: a byte holds those of both halves of a group. */
  private static float halfGroupScale(float scale, MemorySegment source, long scales, int eight) {
    int subScale = u8(source, scales + eight / 4) >> eight % 4 / 2 * 4 & 0xF;
    return scale * (0.5f + subScale) * 0.25f;
  }

  /** half scale, 64 points, per group 4 x 7 sign bits and a 4-bit sub-scale. */
  static void decodeIQ3_XXS(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int group = 0; group < 8; group++) {
      int signsAndScale = i32(source, offset + 66 + 4 * group);
      float subScale = scale * (0.5f + (signsAndScale >>> 28)) * 0.5f;
      for (int i = 0; i < 8; i++) {
        int signs = evenSigns(signsAndScale >>> 7 * (i / 2)) >> 4 * (i % 2);
        int point = u8(source, offset + 2 + 8 * group + i);
        point(Codebook.IQ3_XXS, point, signs, subScale, out, at);
        at += 4;
      }
    }
  }

  /** half scale, 64 low bytes of points, 8 x 8 ninth bits, 32 bytes of signs, 4 x 2 sub-scales. */
  static void decodeIQ3_S(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int group = 0; group < 8; group++) {
      int ninth = u8(source, offset + 66 + group);
      int subScale = u8(source, offset + 106 + group / 2) >> 4 * (group % 2) & 0xF;
      float groupScale = scale * (1 + 2 * subScale);
      for (int i = 0; i < 8; i++) {
        int point = u8(source, offset + 2 + 8 * group + i) | (ninth >> i & 1) << 8;
        int signs = u8(source, offset + 74 + 4 * group + i / 2) >> 4 * (i % 2);
        point(Codebook.IQ3_S, point, signs, groupScale, out, at);
        at += 4;
      }
    }
  }

  /** Seven stored signs; the eighth makes the number of negative ones even. */
  private static int evenSigns(int stored) {
    int seven = stored & 0x7F;
    return seven | (Integer.bitCount(seven) & 1) << 7;
  }

  private static void point(
      Codebook codebook, int point, int signs, float scale, float[] out, int at) {
    int dimensions = codebook.dimensions();
    byte[] coordinates = codebook.coordinates();
    for (int i = 0; i < dimensions; i++) {
      float magnitude = scale * coordinates[point * dimensions + i];
      out[at + i] = (signs >> i & 1) == 1 ? -magnitude : magnitude;
    }
  }
}
