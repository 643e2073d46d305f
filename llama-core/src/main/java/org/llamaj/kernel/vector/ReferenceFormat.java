package org.llamaj.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Types without a decoder in vectors: rare ones.
 *
 * @param type any type the reference dequantiser reads
 */
record ReferenceFormat(ElementType type) implements Format {
  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decode(type, weights, columns, target, scratch);
  }

  /** A row of any type. */
  static void decode(ElementType type, long weights, int columns, long target, Scratch scratch) {
    float[] values = scratch.heap(columns);
    Dequantizer.dequantize(type, Lanes.ALL, weights, values, 0, columns);
    MemorySegment.copy(values, 0, Lanes.ALL, ValueLayout.JAVA_FLOAT_UNALIGNED, target, columns);
  }
}
