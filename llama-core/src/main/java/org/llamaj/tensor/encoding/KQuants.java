package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.f32;
import static org.llamaj.tensor.encoding.LittleEndian.i8;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Super-blocks of 256 values whose sub-blocks of 16 or 32 have small integer scales of their own,
 * in units of one (or two) half-precision scales: {@code scale * subScale * q - minimum *
 * subMinimum}.
 */
final class KQuants {
  private static final int BLOCK = 256;

  private KQuants() {}

  /** 16 bytes of 4-bit sub-scales (low) and sub-minima (high), 64 bytes of quants, 2 halves. */
  static void decodeQ2_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset + 80);
    float minimum = f16(source, offset + 82);
    for (int sub = 0; sub < 16; sub++) {
      int pair = u8(source, offset + sub);
      float subScale = scale * (pair & 0xF);
      float subMinimum = minimum * (pair >> 4);
      long quants = offset + 16 + twoBitBytes(sub);
      for (int i = 0; i < 16; i++) {
        int quant = u8(source, quants + i) >> twoBitShift(sub) & 3;
        out[at + 16 * sub + i] = subScale * quant - subMinimum;
      }
    }
  }

  /** 32 bytes of third bits, 64 bytes of lower bits, 12 bytes of 6-bit sub-scales, half scale. */
  static void decodeQ3_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset + 108);
    for (int sub = 0; sub < 16; sub++) {
      int low = u8(source, offset + 96 + sub % 8) >> sub / 8 * 4 & 0xF;
      int high = u8(source, offset + 104 + sub % 4) >> sub / 4 * 2 & 3;
      float subScale = scale * ((low | high << 4) - 32);
      long quants = offset + 32 + twoBitBytes(sub);
      long thirdBits = offset + 16 * (sub % 2);
      for (int i = 0; i < 16; i++) {
        int quant = u8(source, quants + i) >> twoBitShift(sub) & 3;
        int third = u8(source, thirdBits + i) >> sub / 2 & 1;
        out[at + 16 * sub + i] = subScale * ((quant | third << 2) - 4);
      }
    }
  }

  /** Where the bytes of a sub-block of 16 two-bit values start: 4 sub-blocks share 16 bytes. */
  private static int twoBitBytes(int sub) {
    return 32 * (sub / 8) + 16 * (sub % 2);
  }

  private static int twoBitShift(int sub) {
    return sub % 8 / 2 * 2;
  }

  /**
   * half scale, half minimum, 12 bytes of 6-bit sub-scales and sub-minima, 128 bytes of nibbles.
   */
  static void decodeQ4_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    float minimum = f16(source, offset + 2);
    for (int sub = 0; sub < 8; sub++) {
      float subScale = scale * subScale(source, offset + 4, sub);
      float subMinimum = minimum * subMinimum(source, offset + 4, sub);
      long quants = offset + 16 + 32 * (sub / 2);
      for (int i = 0; i < 32; i++) {
        int quant = u8(source, quants + i) >> sub % 2 * 4 & 0xF;
        out[at + 32 * sub + i] = subScale * quant - subMinimum;
      }
    }
  }

  /** As Q4_K with 32 bytes of fifth bits before the nibbles: bit s of byte i is of sub-block s. */
  static void decodeQ5_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    float minimum = f16(source, offset + 2);
    for (int sub = 0; sub < 8; sub++) {
      float subScale = scale * subScale(source, offset + 4, sub);
      float subMinimum = minimum * subMinimum(source, offset + 4, sub);
      long quants = offset + 48 + 32 * (sub / 2);
      for (int i = 0; i < 32; i++) {
        int quant = u8(source, quants + i) >> sub % 2 * 4 & 0xF;
        int fifth = u8(source, offset + 16 + i) >> sub & 1;
        out[at + 32 * sub + i] = subScale * (quant | fifth << 4) - subMinimum;
      }
    }
  }

  /**
   * Sub-scale of Q4_K and Q5_K: the first four are the low 6 bits of bytes 0-3, the others a nibble
   * of bytes 8-11 and the top bits of bytes 0-3.
   */
  private static int subScale(MemorySegment source, long packed, int sub) {
    return sub < 4
        ? u8(source, packed + sub) & 0x3F
        : u8(source, packed + sub + 4) & 0xF | u8(source, packed + sub - 4) >> 6 << 4;
  }

  /** Sub-minimum of Q4_K and Q5_K: likewise with bytes 4-7 and the high nibbles. */
  private static int subMinimum(MemorySegment source, long packed, int sub) {
    return sub < 4
        ? u8(source, packed + sub + 4) & 0x3F
        : u8(source, packed + sub + 4) >> 4 | u8(source, packed + sub) >> 6 << 4;
  }

  /** 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed sub-scales, half scale. */
  static void decodeQ6_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset + 208);
    for (int sub = 0; sub < 16; sub++) {
      float subScale = scale * i8(source, offset + 192 + sub);
      int quarter = sub % 8 / 2;
      long low = offset + 64 * (sub / 8) + 32 * (quarter % 2) + 16 * (sub % 2);
      long high = offset + 128 + 32 * (sub / 8) + 16 * (sub % 2);
      for (int i = 0; i < 16; i++) {
        int nibble = u8(source, low + i) >> quarter / 2 * 4 & 0xF;
        int upper = u8(source, high + i) >> quarter * 2 & 3;
        out[at + 16 * sub + i] = subScale * ((nibble | upper << 4) - 32);
      }
    }
  }

  /** float scale, 256 signed bytes, 16 sums (not needed here). */
  static void decodeQ8_K(MemorySegment source, long offset, float[] out, int at) {
    float scale = f32(source, offset);
    for (int i = 0; i < BLOCK; i++) out[at + i] = scale * i8(source, offset + 4 + i);
  }
}
