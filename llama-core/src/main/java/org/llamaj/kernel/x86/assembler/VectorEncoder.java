package org.llamaj.kernel.x86.assembler;

import org.llamaj.kernel.x86.assembler.Instruction.Form;
import org.llamaj.kernel.x86.assembler.Instruction.Tuple;

/** Encodes vector instructions: VEX where that suffices, as it is shorter, else EVEX. */
final class VectorEncoder {
  private static final int NO_IMMEDIATE = -1;

  private final CodeBuffer code;

  VectorEncoder(CodeBuffer code) {
    this.code = code;
  }

  void encode(Instruction instruction, Operand[] operands, int immediate, boolean hasImmediate) {
    Form form = instruction.form;
    int expected =
        switch (form) {
          case NONE -> 0;
          case R, M -> 1;
          case RVM, RVMI, RMV -> 3;
          case RM, RMI, MR, MRI, VMI, MOVE -> 2;
        };
    boolean wantsImmediate =
        form == Form.RVMI || form == Form.RMI || form == Form.MRI || form == Form.VMI;
    if (operands.length != expected || wantsImmediate != hasImmediate) {
      throw new IllegalArgumentException(instruction + ": wrong operands");
    }
    int opcode = instruction.opcode;
    Operand first = expected == 0 ? null : operands[0];
    Operand last = expected == 0 ? null : operands[expected - 1];
    Operand reg = first;
    Operand vvvv = null;
    Operand rm = last;
    switch (form) {
      case R -> rm = null;
      case M -> reg = null;
      case RVM, RVMI -> vvvv = operands[1];
      case RMV -> {
        vvvv = last;
        rm = operands[1];
      }
      case MR, MRI -> {
        reg = last;
        rm = first;
      }
      case VMI -> {
        reg = null;
        vvvv = first;
      }
      case MOVE -> {
        if (first instanceof Address) {
          opcode = instruction.extra;
          reg = last;
          rm = first;
        }
      }
      default -> {}
    }
    int regNumber = reg == null ? instruction.extra : number(reg);
    emit(instruction, opcode, operands, regNumber, vvvv, rm, hasImmediate ? immediate & 0xFF : -1);
  }

  private void emit(
      Instruction instruction,
      int opcode,
      Operand[] operands,
      int reg,
      Operand vvvv,
      Operand rm,
      int immediate) {
    int bits = 128;
    int highest = Math.max(reg, number(vvvv));
    int mask = 0;
    boolean extended = instruction.vexW < 0;
    for (Operand operand : operands) {
      switch (operand) {
        case Vector vector -> {
          bits = Math.max(bits, vector.bits());
          highest = Math.max(highest, vector.number());
          mask |= vector.mask().ordinal();
        }
        case Mask ignored -> extended = true;
        case Address address -> extended |= address.broadcast();
        case Gpr ignored -> {}
        case Tile ignored -> {}
      }
    }
    extended |= bits == 512 || highest > 15 || mask != 0;
    if (extended && instruction.evexW < 0) {
      throw new IllegalArgumentException(instruction + " has no EVEX form");
    }
    int vvvvNumber = number(vvvv);
    int w = extended ? instruction.evexW : instruction.vexW;
    if (extended) {
      evex(instruction, w, bits, mask, reg, vvvvNumber, rm);
    } else {
      vex(instruction, w, bits, reg, vvvvNumber, rm);
    }
    code.u8(opcode);
    int tail = immediate == NO_IMMEDIATE ? 0 : 1;
    if (rm instanceof Address address) {
      int unit = extended ? displacementUnit(instruction.tuple, address, bits, w) : 1;
      ModRm.memory(code, reg, address, unit, tail);
    } else {
      ModRm.register(code, reg, number(rm));
    }
    if (immediate != NO_IMMEDIATE) {
      code.u8(immediate);
    }
  }

  private void vex(Instruction instruction, int w, int bits, int reg, int vvvv, Operand rm) {
    int r = inverted(reg, 3);
    int x = inverted(indexNumber(rm), 3);
    int b = inverted(baseNumber(rm), 3);
    int last = (~vvvv & 15) << 3 | (bits == 256 ? 4 : 0) | instruction.prefix;
    if (x == 1 && b == 1 && w == 0 && instruction.map == 1) {
      code.u8(0xC5);
      code.u8(r << 7 | last);
    } else {
      code.u8(0xC4);
      code.u8(r << 7 | x << 6 | b << 5 | instruction.map);
      code.u8(w << 7 | last);
    }
  }

  private void evex(
      Instruction instruction, int w, int bits, int mask, int reg, int vvvv, Operand rm) {
    boolean memory = rm instanceof Address;
    boolean broadcast = rm instanceof Address address && address.broadcast();
    // A register in rm takes its fifth bit from X.
    int x = memory ? inverted(indexNumber(rm), 3) : inverted(number(rm), 4);
    code.u8(0x62);
    code.u8(
        inverted(reg, 3) << 7
            | x << 6
            | inverted(baseNumber(rm), 3) << 5
            | inverted(reg, 4) << 4
            | instruction.map);
    code.u8(w << 7 | (~vvvv & 15) << 3 | 4 | instruction.prefix);
    int length = bits == 512 ? 2 : bits == 256 ? 1 : 0;
    code.u8(length << 5 | (broadcast ? 0x10 : 0) | inverted(vvvv, 4) << 3 | mask);
  }

  private static int displacementUnit(Tuple tuple, Address address, int bits, int w) {
    if (!address.broadcast()) {
      return tuple.bytes(bits);
    }
    if (tuple != Tuple.FULL) {
      throw new IllegalArgumentException("no broadcast of a " + tuple + " operand");
    }
    return w == 1 ? 8 : 4;
  }

  private static int inverted(int number, int bit) {
    return ~number >> bit & 1;
  }

  private static int baseNumber(Operand rm) {
    return switch (rm) {
      case null -> 0;
      case Address address -> address.base() == null ? 0 : address.base().ordinal();
      default -> number(rm);
    };
  }

  private static int indexNumber(Operand rm) {
    return rm instanceof Address address && address.index() != null ? address.index().ordinal() : 0;
  }

  /** The number of a register; 0 stands in a field that is not used. */
  private static int number(Operand operand) {
    return switch (operand) {
      case null -> 0;
      case Tile tile -> tile.number();
      case Vector vector -> vector.number();
      case Gpr gpr -> gpr.ordinal();
      case Mask mask -> mask.ordinal();
      case Address address -> throw new IllegalArgumentException(address + " where a register is");
    };
  }
}
