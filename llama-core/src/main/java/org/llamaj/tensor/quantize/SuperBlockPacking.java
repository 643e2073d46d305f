package org.llamaj.tensor.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import org.llamaj.tensor.ElementType;

/** The bits of super-blocks of 256: the layouts that the decoders in {@code encoding} describe. */
final class SuperBlockPacking {
  private SuperBlockPacking() {}

  /**
   * Types whose sub-blocks have a scale.
   *
   * @param unit the super-block's scale
   * @param subScales whole numbers from index {@code sub} on
   * @param codes from 0, from index {@code from} on
   */
  static void scaled(
      ElementType type,
      float unit,
      int[] subScales,
      int sub,
      byte[] codes,
      int from,
      MemorySegment target,
      long offset) {
    byte[] block = new byte[type.blockBytes()];
    switch (type) {
      case Q3_K -> q3(block, subScales, sub, codes, from);
      case Q6_K -> q6(block, subScales, sub, codes, from);
      case IQ4_XS -> iq4xs(block, subScales, sub, codes, from);
      default -> throw new AssertionError(type);
    }
    MemorySegment.copy(block, 0, target, JAVA_BYTE, offset, block.length);
    long scaleAt =
        switch (type) {
          case Q3_K -> 108;
          case Q6_K -> 208;
          default -> 0;
        };
    SimplePacking.half(target, offset + scaleAt, unit);
  }

  /**
   * Types whose sub-blocks have a scale and a minimum.
   *
   * @param unit the super-block's scale
   * @param minimumUnit the super-block's minimum
   * @param subScales whole numbers from index {@code sub} on
   * @param subMinima whole numbers from index {@code sub} on
   * @param codes from index {@code from} on
   */
  static void affine(
      ElementType type,
      float unit,
      float minimumUnit,
      int[] subScales,
      int[] subMinima,
      int sub,
      byte[] codes,
      int from,
      MemorySegment target,
      long offset) {
    byte[] block = new byte[type.blockBytes()];
    switch (type) {
      case Q2_K -> q2(block, subScales, subMinima, sub, codes, from);
      case Q4_K -> {
        sixBitPairs(block, subScales, subMinima, sub);
        nibblePairs(block, 16, codes, from);
      }
      case Q5_K -> {
        sixBitPairs(block, subScales, subMinima, sub);
        for (int i = 0; i < 256; i++)
          block[16 + i % 32] |= (byte) ((codes[from + i] >> 4) << i / 32);
        nibblePairs(block, 48, codes, from);
      }
      default -> throw new AssertionError(type);
    }
    MemorySegment.copy(block, 0, target, JAVA_BYTE, offset, block.length);
    long scaleAt = type == ElementType.Q2_K ? 80 : 0;
    SimplePacking.half(target, offset + scaleAt, unit);
    SimplePacking.half(target, offset + scaleAt + 2, minimumUnit);
  }

  private static void q2(
      byte[] block, int[] subScales, int[] subMinima, int sub, byte[] codes, int from) {
    for (int i = 0; i < 16; i++) block[i] = (byte) (subScales[sub + i] | subMinima[sub + i] << 4);
    twoBits(block, 16, codes, from);
  }

  private static void q3(byte[] block, int[] subScales, int sub, byte[] codes, int from) {
    for (int i = 0; i < 256; i++) block[i % 32] |= (byte) ((codes[from + i] >> 2 & 1) << i / 32);
    twoBits(block, 32, codes, from);
    for (int i = 0; i < 16; i++) {
      int scale = subScales[sub + i] + 32;
      block[96 + i % 8] |= (byte) ((scale & 0xF) << i / 8 * 4);
      block[104 + i % 4] |= (byte) (scale >> 4 << i / 4 * 2);
    }
  }

  /** Four values 32 apart share a byte; 128 values take 32 bytes. */
  private static void twoBits(byte[] block, int at, byte[] codes, int from) {
    for (int i = 0; i < 256; i++) {
      block[at + i / 128 * 32 + i % 32] |= (byte) ((codes[from + i] & 3) << i % 128 / 32 * 2);
    }
  }

  /**
   * Six-bit scales and minima of eight sub-blocks, the last four's upper bits among the first's.
   */
  private static void sixBitPairs(byte[] block, int[] subScales, int[] subMinima, int sub) {
    for (int i = 0; i < 4; i++) {
      int laterScale = subScales[sub + i + 4];
      int laterMinimum = subMinima[sub + i + 4];
      block[4 + i] = (byte) (subScales[sub + i] | laterScale >> 4 << 6);
      block[8 + i] = (byte) (subMinima[sub + i] | laterMinimum >> 4 << 6);
      block[12 + i] = (byte) (laterScale & 0xF | (laterMinimum & 0xF) << 4);
    }
  }

  /** Two values 32 apart share a byte. */
  private static void nibblePairs(byte[] block, int at, byte[] codes, int from) {
    for (int i = 0; i < 256; i++) {
      block[at + i / 64 * 32 + i % 32] |= (byte) ((codes[from + i] & 0xF) << i % 64 / 32 * 4);
    }
  }

  private static void q6(byte[] block, int[] subScales, int sub, byte[] codes, int from) {
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int quarter = i % 128 / 32;
      int code = codes[from + i];
      block[64 * half + 32 * (quarter % 2) + i % 32] |= (byte) ((code & 0xF) << quarter / 2 * 4);
      block[128 + 32 * half + i % 32] |= (byte) ((code >> 4 & 3) << quarter * 2);
    }
    for (int i = 0; i < 16; i++) block[192 + i] = (byte) subScales[sub + i];
  }

  private static void iq4xs(byte[] block, int[] subScales, int sub, byte[] codes, int from) {
    int upper = 0;
    for (int i = 0; i < 8; i++) {
      int scale = subScales[sub + i] + 32;
      block[4 + i / 2] |= (byte) ((scale & 0xF) << i % 2 * 4);
      upper |= scale >> 4 << 2 * i;
    }
    block[2] = (byte) upper;
    block[3] = (byte) (upper >> 8);
    for (int i = 0; i < 256; i++) {
      int byteIndex = 8 + i / 32 * 16 + i % 16;
      block[byteIndex] |= (byte) ((codes[from + i] & 0xF) << i % 32 / 16 * 4);
    }
  }
}
