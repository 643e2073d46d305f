package org.llamaj.tensor.quantize;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;

/** F32, F16 and BF16: every value by itself, rounded to the nearest, ties to even. */
record PlainEncoder(ElementType type) implements BlockEncoder {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final float LARGEST_HALF = 65504 + 15.99f; // rounds to 65504

  @Override
  public void encode(
      float[] values, int from, int count, float[] weights, MemorySegment target, long offset) {
    switch (type) {
      case F32 -> MemorySegment.copy(values, from, target, FLOAT, offset, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          float value = values[from + i];
          if (Math.abs(value) > LARGEST_HALF) throw tooLarge(value);
          target.set(SHORT, offset + 2L * i, Float.floatToFloat16(value));
        }
      }
      default -> {
        for (int i = 0; i < count; i++) {
          int bits = Float.floatToRawIntBits(values[from + i]);
          int rounded = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
          target.set(SHORT, offset + 2L * i, (short) rounded);
        }
      }
    }
  }

  private static LlamaException tooLarge(float value) {
    return new LlamaException(
        "F16 reaches from -65504 to 65504, found %s: keep the values in F32 or BF16"
            .formatted(value));
  }
}
