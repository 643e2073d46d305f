package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.u16;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Values -1, 0 and 1 times a scale, 256 to a block: chosen eight at a time from a codebook (IQ1) or
 * packed one by one (TQ).
 */
final class TernaryQuants {
  private static final float SHIFT = 0.125f;

  private TernaryQuants() {}

  /** half scale, 32 low bytes of points, 8 x (4 x 3 high bits, 3-bit sub-scale, shift sign). */
  static void decodeIQ1_S(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int group = 0; group < 8; group++) {
      int packed = u16(source, offset + 34 + 2 * group);
      float subScale = scale * (2 * (packed >> 12 & 7) + 1);
      float shift = packed >> 15 == 1 ? -SHIFT : SHIFT;
      for (int i = 0; i < 4; i++) {
        int high = packed >> 3 * i & 7;
        int point = u8(source, offset + 2 + 4 * group + i) | high << 8;
        point(point, subScale, shift, out, at + 32 * group + 8 * i);
      }
    }
  }

  /**
   * 32 low bytes of points, 32 x (3 high bits, shift sign), 4 x (4 x 3-bit sub-scales, a quarter of
   * the half-precision scale).
   */
  static void decodeIQ1_M(MemorySegment source, long offset, float[] out, int at) {
    int scaleBits = 0;
    for (int i = 0; i < 4; i++) scaleBits |= u16(source, offset + 48 + 2 * i) >> 12 << 4 * i;
    float scale = Float.float16ToFloat((short) scaleBits);
    for (int eight = 0; eight < 32; eight++) {
      int sixteen = eight / 2;
      int subScale = u16(source, offset + 48 + sixteen / 4 * 2) >> 3 * (sixteen % 4) & 7;
      int high = u8(source, offset + 32 + eight / 2) >> 4 * (eight % 2) & 0xF;
      int point = u8(source, offset + eight) | (high & 7) << 8;
      float shift = high >> 3 == 1 ? -SHIFT : SHIFT;
      point(point, scale * (2 * subScale + 1), shift, out, at + 8 * eight);
    }
  }

  private static void point(int point, float scale, float shift, float[] out, int at) {
    byte[] coordinates = Codebook.IQ1.coordinates();
    for (int i = 0; i < 8; i++) out[at + i] = scale * (coordinates[8 * point + i] + shift);
  }

  /** 48 bytes of five values, 4 bytes of four values, half scale. */
  static void decodeTQ1_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset + 52);
    ternaryDigits(source, offset, 32, 5, scale, out, at);
    ternaryDigits(source, offset + 32, 16, 5, scale, out, at + 160);
    ternaryDigits(source, offset + 48, 4, 4, scale, out, at + 240);
  }

  /**
   * Values in base 3: a byte is a fraction of 256, the first digit after its (ternary) point is its
   * first value. Neighbouring values lie in neighbouring bytes.
   */
  private static void ternaryDigits(
      MemorySegment source, long offset, int bytes, int digits, float scale, float[] out, int at) {
    for (int i = 0; i < bytes; i++) {
      int fraction = u8(source, offset + i);
      for (int digit = 0; digit < digits; digit++) {
        fraction *= 3;
        out[at + digit * bytes + i] = ((fraction >> 8) - 1) * scale;
        fraction &= 0xFF;
      }
    }
  }

  /** 64 bytes of four values, half scale. */
  static void decodeTQ2_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset + 64);
    for (int i = 0; i < 256; i++) {
      int quant = u8(source, offset + 32 * (i / 128) + i % 32) >> i % 128 / 32 * 2 & 3;
      out[at + i] = (quant - 1) * scale;
    }
  }
}
