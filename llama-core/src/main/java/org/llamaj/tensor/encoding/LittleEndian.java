package org.llamaj.tensor.encoding;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Unaligned reads of what blocks are made of. */
final class LittleEndian {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private LittleEndian() {}

  static byte i8(MemorySegment source, long offset) {
    return source.get(ValueLayout.JAVA_BYTE, offset);
  }

  static int u8(MemorySegment source, long offset) {
    return source.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
  }

  static short i16(MemorySegment source, long offset) {
    return source.get(SHORT, offset);
  }

  static int u16(MemorySegment source, long offset) {
    return source.get(SHORT, offset) & 0xFFFF;
  }

  static int i32(MemorySegment source, long offset) {
    return source.get(INT, offset);
  }

  static long i64(MemorySegment source, long offset) {
    return source.get(LONG, offset);
  }

  /** IEEE half precision, widened. */
  static float f16(MemorySegment source, long offset) {
    return Float.float16ToFloat(source.get(SHORT, offset));
  }

  /** The upper half of single precision, widened. */
  static float bf16(MemorySegment source, long offset) {
    return Float.intBitsToFloat(source.get(SHORT, offset) << 16);
  }

  static float f32(MemorySegment source, long offset) {
    return source.get(FLOAT, offset);
  }

  static double f64(MemorySegment source, long offset) {
    return source.get(DOUBLE, offset);
  }
}
