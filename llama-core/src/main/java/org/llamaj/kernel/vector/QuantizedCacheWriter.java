package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.llamaj.kernel.QuantizedPage.BLOCK;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import org.llamaj.kernel.QuantizedPage;

/**
 * Quantises keys and values into pages of blocks, as {@link QuantizedPage} says: the same bytes as
 * every other kernel.
 */
final class QuantizedCacheWriter {
  private QuantizedCacheWriter() {}

  static void write(
      long key,
      long value,
      long page,
      QuantizedPage layout,
      int kvHead,
      int slot,
      boolean nibbles) {
    int quantBytes = layout.quantBytes();
    for (int block = 0; block < layout.blocks(); block++) {
      long k = key + 4L * BLOCK * block;
      float scale = scale(k, nibbles);
      ALL.set(SHORT, page + layout.keyScale(kvHead, block, slot), Float.floatToFloat16(scale));
      for (int i = 0; i < quantBytes; i++) {
        ALL.set(
            JAVA_BYTE,
            page + layout.keyQuant(kvHead, block, i, slot),
            quants(k, i, scale, nibbles));
      }
      long v = value + 4L * BLOCK * block;
      scale = scale(v, nibbles);
      ALL.set(
          SHORT, page + layout.valueScales(kvHead, slot) + 2L * block, Float.floatToFloat16(scale));
      long target = page + layout.valueQuants(kvHead, slot) + (long) quantBytes * block;
      for (int i = 0; i < quantBytes; i++) {
        ALL.set(JAVA_BYTE, target + i, quants(v, i, scale, nibbles));
      }
    }
  }

  /** The scale of a block, as half precision will hold it. */
  private static float scale(long x, boolean nibbles) {
    float max = ALL.get(FLOAT, x);
    float min = max;
    for (int i = 1; i < BLOCK; i++) {
      float value = ALL.get(FLOAT, x + 4L * i);
      max = Math.max(max, value);
      min = Math.min(min, value);
    }
    float scale = nibbles ? (max >= -min ? max : min) / -8 : Math.max(max, -min) / 127;
    return Float.float16ToFloat(Float.floatToFloat16(scale));
  }

  /** Byte {@code i} of a block's quants. */
  private static byte quants(long x, int i, float scale, boolean nibbles) {
    float factor = scale == 0 ? 0 : 1 / scale;
    int first = (int) Math.rint(ALL.get(FLOAT, x + 4L * i) * factor);
    if (!nibbles) {
      return (byte) Math.clamp(first, -127, 127);
    }
    int second = (int) Math.rint(ALL.get(FLOAT, x + 4L * (i + BLOCK / 2)) * factor);
    return (byte) (Math.clamp(first + 8, 0, 15) | Math.clamp(second + 8, 0, 15) << 4);
  }
}
