package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;
import java.util.function.IntToDoubleFunction;

/** The two floats of a byte in OCP's 8-bit Floating Point Specification. */
final class EightBitFloats {
  private static final float[] E4M3 =
      table(bits -> bits == 0x7F ? Double.NaN : magnitudeE4M3(bits));
  private static final float[] E5M2 = table(EightBitFloats::magnitudeE5M2);

  private EightBitFloats() {}

  static void decodeE4M3(MemorySegment source, long offset, float[] out, int at, int count) {
    decode(E4M3, source, offset, out, at, count);
  }

  static void decodeE5M2(MemorySegment source, long offset, float[] out, int at, int count) {
    decode(E5M2, source, offset, out, at, count);
  }

  private static void decode(
      float[] table, MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = table[u8(source, offset + i)];
  }

  /** By byte: the sign is the highest bit. */
  private static float[] table(IntToDoubleFunction magnitude) {
    float[] table = new float[256];
    for (int bits = 0; bits < 128; bits++) {
      table[bits] = (float) magnitude.applyAsDouble(bits);
      table[bits + 128] = -table[bits];
    }
    return table;
  }

  /** Bias 7; there are no infinities, and all ones, which is not a number, is taken for one. */
  static float magnitudeE4M3(int bits) {
    int exponent = bits >> 3;
    int mantissa = bits & 7;
    return exponent == 0 ? Math.scalb(mantissa, -9) : Math.scalb(8f + mantissa, exponent - 10);
  }

  /** Bias 15; infinities and NaN as in IEEE's types: it is the upper half of half precision. */
  private static double magnitudeE5M2(int bits) {
    return Float.float16ToFloat((short) (bits << 8));
  }
}
