package org.llamaj.kernel.x86.assembler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Bytes of code, and the places in them that wait for a label. */
final class CodeBuffer {
  /** Four bytes that will hold the distance from their end to a label, plus an addend. */
  private record Fixup(int position, Label target, int addend) {}

  private final List<Fixup> fixups = new ArrayList<>();
  private byte[] bytes = new byte[1024];
  private int size;

  int size() {
    return size;
  }

  void u8(int value) {
    if (size == bytes.length) {
      bytes = Arrays.copyOf(bytes, size * 2);
    }
    bytes[size++] = (byte) value;
  }

  void i32(int value) {
    for (int shift = 0; shift < 32; shift += 8) {
      u8(value >> shift);
    }
  }

  void i64(long value) {
    i32((int) value);
    i32((int) (value >> 32));
  }

  /**
   * The distance to a label.
   *
   * @param tail bytes of the instruction that follow the distance
   */
  void distance(Label target, int displacement, int tail) {
    fixups.add(new Fixup(size, target, displacement - tail));
    i32(0);
  }

  byte[] finish() {
    byte[] code = Arrays.copyOf(bytes, size);
    for (Fixup fixup : fixups) {
      int distance = fixup.target().position() - (fixup.position() + 4) + fixup.addend();
      for (int i = 0; i < 4; i++) {
        code[fixup.position() + i] = (byte) (distance >> 8 * i);
      }
    }
    return code;
  }
}
