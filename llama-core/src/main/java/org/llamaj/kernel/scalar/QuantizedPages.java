package org.llamaj.kernel.scalar;

import static org.llamaj.kernel.QuantizedPage.BLOCK;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;

/** Pages of Q8_0 and Q4_0. */
final class QuantizedPages implements PageFormat {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private final QuantizedPage layout;
  private final boolean nibbles;

  QuantizedPages(AttentionShape shape) {
    layout = new QuantizedPage(shape);
    nibbles = shape.cacheType() == CacheType.Q4_0;
  }

  @Override
  public void storeKey(MemorySegment page, int kvHead, int slot, float[] key) {
    for (int block = 0; block < layout.blocks(); block++) {
      float scale = scale(key, block);
      page.set(SHORT, layout.keyScale(kvHead, block, slot), Float.floatToFloat16(scale));
      for (int i = 0; i < layout.quantBytes(); i++) {
        page.set(BYTE, layout.keyQuant(kvHead, block, i, slot), quants(key, block, i, scale));
      }
    }
  }

  @Override
  public void storeValue(MemorySegment page, int kvHead, int slot, float[] value) {
    long scales = layout.valueScales(kvHead, slot);
    long quants = layout.valueQuants(kvHead, slot);
    for (int block = 0; block < layout.blocks(); block++) {
      float scale = scale(value, block);
      page.set(SHORT, scales + 2L * block, Float.floatToFloat16(scale));
      for (int i = 0; i < layout.quantBytes(); i++) {
        long offset = quants + (long) block * layout.quantBytes() + i;
        page.set(BYTE, offset, quants(value, block, i, scale));
      }
    }
  }

  @Override
  public void loadKeys(
      MemorySegment page, int kvHead, int component, int slot, float[] target, int count) {
    int block = component / BLOCK;
    int i = component % BLOCK;
    long scales = layout.keyScale(kvHead, block, slot);
    long quants = layout.keyQuant(kvHead, block, i % layout.quantBytes(), slot);
    for (int t = 0; t < count; t++) {
      target[t] = half(page, scales + 2L * t) * quant(page.get(BYTE, quants + t), i);
    }
  }

  @Override
  public void loadValue(MemorySegment page, int kvHead, int slot, float[] target) {
    long scales = layout.valueScales(kvHead, slot);
    long quants = layout.valueQuants(kvHead, slot);
    for (int block = 0; block < layout.blocks(); block++) {
      float scale = half(page, scales + 2L * block);
      for (int i = 0; i < BLOCK; i++) {
        long offset = quants + (long) block * layout.quantBytes() + i % layout.quantBytes();
        target[block * BLOCK + i] = scale * quant(page.get(BYTE, offset), i);
      }
    }
  }

  /** The scale of a block, as half precision will hold it. */
  private float scale(float[] x, int block) {
    float max = x[block * BLOCK];
    float min = max;
    for (int i = block * BLOCK + 1; i < (block + 1) * BLOCK; i++) {
      max = Math.max(max, x[i]);
      min = Math.min(min, x[i]);
    }
    float scale = nibbles ? (max >= -min ? max : min) / -8 : Math.max(max, -min) / 127;
    return Float.float16ToFloat(Float.floatToFloat16(scale));
  }

  /** Byte {@code i} of a block's quants. */
  private byte quants(float[] x, int block, int i, float scale) {
    float factor = scale == 0 ? 0 : 1 / scale;
    int first = (int) Math.rint(x[block * BLOCK + i] * factor);
    if (!nibbles) {
      return (byte) Math.clamp(first, -127, 127);
    }
    int second = (int) Math.rint(x[block * BLOCK + i + BLOCK / 2] * factor);
    return (byte) (Math.clamp(first + 8, 0, 15) | Math.clamp(second + 8, 0, 15) << 4);
  }

  /** What component {@code i} of a block is without its scale. */
  private int quant(byte quants, int i) {
    if (!nibbles) {
      return quants;
    }
    return (i < BLOCK / 2 ? quants & 15 : quants >> 4 & 15) - 8;
  }

  private static float half(MemorySegment page, long offset) {
    return Float.float16ToFloat(page.get(SHORT, offset));
  }
}
