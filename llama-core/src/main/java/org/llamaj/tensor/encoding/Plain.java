package org.llamaj.tensor.encoding;

import static org.llamaj.tensor.encoding.LittleEndian.bf16;
import static org.llamaj.tensor.encoding.LittleEndian.f16;
import static org.llamaj.tensor.encoding.LittleEndian.f32;
import static org.llamaj.tensor.encoding.LittleEndian.f64;
import static org.llamaj.tensor.encoding.LittleEndian.i16;
import static org.llamaj.tensor.encoding.LittleEndian.i32;
import static org.llamaj.tensor.encoding.LittleEndian.i64;
import static org.llamaj.tensor.encoding.LittleEndian.i8;
import static org.llamaj.tensor.encoding.LittleEndian.u16;
import static org.llamaj.tensor.encoding.LittleEndian.u8;

import java.lang.foreign.MemorySegment;

/** Types without blocks: floats and integers. */
final class Plain {
  private Plain() {}

  static void decodeF32(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = f32(source, offset + 4L * i);
  }

  static void decodeF16(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = f16(source, offset + 2L * i);
  }

  static void decodeBf16(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = bf16(source, offset + 2L * i);
  }

  static void decodeF64(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = (float) f64(source, offset + 8L * i);
  }

  static void decodeI8(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = i8(source, offset + i);
  }

  static void decodeI16(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = i16(source, offset + 2L * i);
  }

  static void decodeI32(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = i32(source, offset + 4L * i);
  }

  static void decodeI64(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = i64(source, offset + 8L * i);
  }

  static void decodeBool(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = u8(source, offset + i) == 0 ? 0 : 1;
  }

  static void decodeU8(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = u8(source, offset + i);
  }

  static void decodeU16(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) out[at + i] = u16(source, offset + 2L * i);
  }

  static void decodeU32(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++)
      out[at + i] = Integer.toUnsignedLong(i32(source, offset + 4L * i));
  }

  static void decodeU64(MemorySegment source, long offset, float[] out, int at, int count) {
    for (int i = 0; i < count; i++) {
      long bits = i64(source, offset + 8L * i);
      // The lowest bit, kept in the next one, rounds as all 64 would.
      out[at + i] = bits >= 0 ? bits : 2f * (bits >>> 1 | bits & 1);
    }
  }
}
