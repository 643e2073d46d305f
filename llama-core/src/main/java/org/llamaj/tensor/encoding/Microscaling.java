package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * Four-bit floats (E2M1, of the OCP Microscaling Formats specification) with a one-byte float as
 * the scale of a few.
 */
final class Microscaling {
  /** By code: sign, two bits of exponent, one of mantissa; minus zero is plain zero. */
  private static final float[] E2M1 = {
    0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6
  };

  private Microscaling() {}

  /** E8M0 scale, 16 bytes of 32 values: i in the low half of byte i, i + 16 in the high. */
  static void decodeMXFP4(MemorySegment source, long offset, float[] out, int at) {
    decode(source, offset + 1, 16, e8m0(u8(source, offset)), out, at);
  }

  /** 4 E4M3 scales, for each 8 bytes of 16 values laid out as above. */
  static void decodeNVFP4(MemorySegment source, long offset, float[] out, int at) {
    for (int sub = 0; sub < 4; sub++) {
      float scale = unsignedE4M3(u8(source, offset + sub));
      decode(source, offset + 4 + 8 * sub, 8, scale, out, at + 16 * sub);
    }
  }

  private static void decode(
      MemorySegment source, long offset, int bytes, float scale, float[] out, int at) {
    for (int i = 0; i < bytes; i++) {
      int pair = u8(source, offset + i);
      out[at + i] = scale * E2M1[pair & 0xF];
      out[at + i + bytes] = scale * E2M1[pair >> 4];
    }
  }

  /** A power of two with a bias of 127; all ones is not a number. */
  private static float e8m0(int bits) {
    return bits == 0xFF ? Float.NaN : Math.scalb(1f, bits - 127);
  }

  /** The sign is ignored; without one, what is not a number is 0. */
  private static float unsignedE4M3(int bits) {
    return bits == 0x7F ? 0 : EightBitFloats.magnitudeE4M3(bits & 0x7F);
  }
}
