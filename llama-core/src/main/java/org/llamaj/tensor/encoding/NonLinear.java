package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.u16;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/** Nibbles that choose one of 16 unevenly spaced levels: IQ4_NL and IQ4_XS. */
public final class NonLinear {
  /** Dense around zero, where most weights are. */
  private static final byte[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private NonLinear() {}

  /** {@return the 16 levels, in ascending order} */
  public static byte[] levels() {
    return LEVELS.clone();
  }

  /** half scale, 16 bytes of nibbles. */
  static void decodeIQ4_NL(MemorySegment source, long offset, float[] out, int at) {
    decode(source, offset + 2, f16(source, offset), out, at);
  }

  /** half scale, 8 x 2 upper bits and 8 x 4 lower bits of sub-scales, 128 bytes of nibbles. */
  static void decodeIQ4_XS(MemorySegment source, long offset, float[] out, int at) {
    float scale = f16(source, offset);
    int upper = u16(source, offset + 2);
    for (int sub = 0; sub < 8; sub++) {
      int low = u8(source, offset + 4 + sub / 2) >> sub % 2 * 4 & 0xF;
      int high = upper >> 2 * sub & 3;
      float subScale = scale * ((low | high << 4) - 32);
      decode(source, offset + 8 + 16 * sub, subScale, out, at + 32 * sub);
    }
  }

  private static void decode(MemorySegment source, long nibbles, float scale, float[] out, int at) {
    for (int i = 0; i < 16; i++) {
      int pair = u8(source, nibbles + i);
      out[at + i] = scale * LEVELS[pair & 0xF];
      out[at + i + 16] = scale * LEVELS[pair >> 4];
    }
  }
}
