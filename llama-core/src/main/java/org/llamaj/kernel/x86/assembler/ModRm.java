package org.llamaj.kernel.x86.assembler;

/** The ModRM and SIB bytes and the displacement: what an instruction works on. */
final class ModRm {
  private static final int SIB_FOLLOWS = 4;
  private static final int NO_INDEX = 4;

  private ModRm() {}

  static void register(CodeBuffer code, int reg, int rm) {
    code.u8(0xC0 | (reg & 7) << 3 | rm & 7);
  }

  /**
   * @param unit what a one-byte displacement counts in
   * @param tail bytes of the instruction that follow
   */
  static void memory(CodeBuffer code, int reg, Address address, int unit, int tail) {
    int regField = (reg & 7) << 3;
    if (address.base() == null) {
      code.u8(regField | 5);
      code.distance(address.label(), address.displacement(), tail);
      return;
    }
    int base = address.base().ordinal() & 7;
    int displacement = address.displacement();
    boolean isShort =
        displacement % unit == 0 && (byte) (displacement / unit) == displacement / unit;
    // RBP and R13 as base have no form without displacement.
    int mode = displacement == 0 && base != 5 ? 0 : isShort ? 0x40 : 0x80;
    if (address.index() != null || base == SIB_FOLLOWS) {
      int index = address.index() == null ? NO_INDEX : address.index().ordinal() & 7;
      code.u8(mode | regField | SIB_FOLLOWS);
      code.u8(Integer.numberOfTrailingZeros(address.scale()) << 6 | index << 3 | base);
    } else {
      code.u8(mode | regField | base);
    }
    if (mode == 0x40) {
      code.u8(displacement / unit);
    } else if (mode == 0x80) {
      code.i32(displacement);
    }
  }
}
