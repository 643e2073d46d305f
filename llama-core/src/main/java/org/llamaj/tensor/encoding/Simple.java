package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.i32;
import static org.llamaj.tensor.encoding.LittleEndian.i8;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/**
 * One linear scale per block: {@code scale * q} (types ..._0) or {@code scale * q + minimum} (types
 * ..._1). In the 4- and 5-bit types byte i holds value i in its low and value i + 16 in its high
 * half.
 */
final class Simple {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  private Simple() {}

  /** half scale, 16 bytes of nibbles. */
  static void decodeQ4_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int i = 0; i < HALF; i++) {
      int pair = u8(source, offset + 2 + i);
      out[at + i] = scale * ((pair & 0xF) - 8);
      out[at + i + HALF] = scale * ((pair >> 4) - 8);
    }
  }

  /** half scale, half minimum, 16 bytes of nibbles. */
  static void decodeQ4_1(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    float minimum = f16(source, offset + 2);
    for (int i = 0; i < HALF; i++) {
      int pair = u8(source, offset + 4 + i);
      out[at + i] = scale * (pair & 0xF) + minimum;
      out[at + i + HALF] = scale * (pair >> 4) + minimum;
    }
  }

  /** half scale, 32 fifth bits, 16 bytes of nibbles. */
  static void decodeQ5_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    int fifth = i32(source, offset + 2);
    for (int i = 0; i < HALF; i++) {
      int pair = u8(source, offset + 6 + i);
      int low = pair & 0xF | (fifth >>> i & 1) << 4;
      int high = pair >> 4 | (fifth >>> i + HALF & 1) << 4;
      out[at + i] = scale * (low - 16);
      out[at + i + HALF] = scale * (high - 16);
    }
  }

  /** half scale, half minimum, 32 fifth bits, 16 bytes of nibbles. */
  static void decodeQ5_1(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    float minimum = f16(source, offset + 2);
    int fifth = i32(source, offset + 4);
    for (int i = 0; i < HALF; i++) {
      int pair = u8(source, offset + 8 + i);
      int low = pair & 0xF | (fifth >>> i & 1) << 4;
      int high = pair >> 4 | (fifth >>> i + HALF & 1) << 4;
      out[at + i] = scale * low + minimum;
      out[at + i + HALF] = scale * high + minimum;
    }
  }

  /** half scale, 32 signed bytes. */
  static void decodeQ8_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int i = 0; i < BLOCK; i++) out[at + i] = scale * i8(source, offset + 2 + i);
  }

  /** half scale, half sum (not needed here), 32 signed bytes. */
  static void decodeQ8_1(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int i = 0; i < BLOCK; i++) out[at + i] = scale * i8(source, offset + 4 + i);
  }

  /** half scale, 128 signs: a set bit is {@code +scale}. */
  static void decodeQ1_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int i = 0; i < 128; i++) {
      int bit = u8(source, offset + 2 + i / 8) >> i % 8 & 1;
      out[at + i] = bit == 1 ? scale : -scale;
    }
  }

  /** half scale, 64 two-bit values from -1 to 2. */
  static void decodeQ2_0(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    for (int i = 0; i < 64; i++) {
      int quant = u8(source, offset + 2 + i / 4) >> 2 * (i % 4) & 3;
      out[at + i] = scale * (quant - 1);
    }
  }
}
