package org.llamaj.kernel.scalar;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;

/** How keys and values get into cache pages and out of them. */
interface PageFormat {

  static PageFormat of(AttentionShape shape) {
    return switch (shape.cacheType()) {
      case F32, F16 -> new FloatPages(shape);
      case Q8_0, Q4_0 -> new QuantizedPages(shape);
    };
  }

  /** Stores one head's key. */
  void storeKey(MemorySegment page, int kvHead, int slot, float[] key);

  /** Stores one head's value. */
  void storeValue(MemorySegment page, int kvHead, int slot, float[] value);

  /** Loads one component of the keys of {@code count} tokens from a slot on. */
  void loadKeys(MemorySegment page, int kvHead, int component, int slot, float[] target, int count);

  /** Loads one head's value. */
  void loadValue(MemorySegment page, int kvHead, int slot, float[] target);
}
