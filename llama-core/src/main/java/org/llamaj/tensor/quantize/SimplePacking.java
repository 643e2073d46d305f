package org.llamaj.tensor.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.llamaj.tensor.ElementType;

/** The bits of blocks of 32: the layouts that the decoders in {@code encoding} describe. */
final class SimplePacking {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int HALF = 16;

  private SimplePacking() {}

  /** Types with a scale; codes from 0. */
  static void scaled(
      ElementType type, float scale, byte[] codes, int from, MemorySegment target, long offset) {
    half(target, offset, scale);
    switch (type) {
      case Q4_0, IQ4_NL -> nibbles(codes, from, target, offset + 2);
      case Q5_0 -> {
        fifthBits(codes, from, target, offset + 2);
        nibbles(codes, from, target, offset + 6);
      }
      case Q8_0 -> {
        for (int i = 0; i < 32; i++) {
          target.set(JAVA_BYTE, offset + 2 + i, (byte) (codes[from + i] - 127));
        }
      }
      default -> throw new AssertionError(type);
    }
  }

  /** Types with a scale and a minimum. */
  static void affine(
      ElementType type,
      float scale,
      float minimum,
      byte[] codes,
      int from,
      MemorySegment target,
      long offset) {
    half(target, offset, scale);
    half(target, offset + 2, minimum);
    if (type == ElementType.Q5_1) {
      fifthBits(codes, from, target, offset + 4);
      nibbles(codes, from, target, offset + 8);
    } else {
      nibbles(codes, from, target, offset + 4);
    }
  }

  static void half(MemorySegment target, long offset, float value) {
    target.set(SHORT, offset, Float.floatToFloat16(value));
  }

  static void u16(MemorySegment target, long offset, int value) {
    target.set(SHORT, offset, (short) value);
  }

  /** The low nibbles of 32 codes: i in the low half of byte i, i + 16 in the high. */
  static void nibbles(byte[] codes, int from, MemorySegment target, long offset) {
    for (int i = 0; i < HALF; i++) {
      int pair = codes[from + i] & 0xF | (codes[from + i + HALF] & 0xF) << 4;
      target.set(JAVA_BYTE, offset + i, (byte) pair);
    }
  }

  private static void fifthBits(byte[] codes, int from, MemorySegment target, long offset) {
    int bits = 0;
    for (int i = 0; i < 32; i++) bits |= (codes[from + i] >> 4 & 1) << i;
    target.set(INT, offset, bits);
  }
}
