package org.llamaj.kernel.scalar;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.AttentionShape;

/** Pages of F32 and F16. */
record FloatPages(AttentionShape shape) implements PageFormat {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  @Override
  public void storeKey(MemorySegment page, int kvHead, int slot, float[] key) {
    for (int d = 0; d < shape.headDim(); d++) {
      set(page, shape.keyOffset(kvHead, d, slot), key[d]);
    }
  }

  @Override
  public void storeValue(MemorySegment page, int kvHead, int slot, float[] value) {
    long offset = shape.valueOffset(kvHead, slot);
    for (int d = 0; d < shape.headDim(); d++) {
      set(page, offset + (long) d * shape.cacheType().bytes(), value[d]);
    }
  }

  @Override
  public void loadKeys(
      MemorySegment page, int kvHead, int component, int slot, float[] target, int count) {
    load(page, shape.keyOffset(kvHead, component, slot), target, count);
  }

  @Override
  public void loadValue(MemorySegment page, int kvHead, int slot, float[] target) {
    load(page, shape.valueOffset(kvHead, slot), target, shape.headDim());
  }

  private void set(MemorySegment page, long offset, float value) {
    if (shape.cacheType().bytes() == Float.BYTES) {
      page.set(FLOAT, offset, value);
    } else {
      page.set(SHORT, offset, Float.floatToFloat16(value));
    }
  }

  private void load(MemorySegment page, long offset, float[] target, int count) {
    if (shape.cacheType().bytes() == Float.BYTES) {
      MemorySegment.copy(page, FLOAT, offset, target, 0, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      target[i] = Float.float16ToFloat(page.get(SHORT, offset + 2L * i));
    }
  }
}
