package org.llamaj.kernel.x86.code;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERM2I128;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHQDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKLQDQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VSHUFI32X4;

import java.util.Arrays;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;

/** Emits the transposition of 16 (or 8) rows of 8 four-byte elements. */
public final class Transpose {
  private static final int FIRST = 16;

  private Transpose() {}

  /**
   * AVX-512, 16 rows: result i holds element i of all rows. Uses registers 16 to 31.
   *
   * @param source points at the first row's elements
   * @param displacement added to it
   * @param stride bytes between rows
   * @return the results
   */
  public static Vector[] rows16(Assembler a, Gpr source, int displacement, int stride) {
    Vector[] in = registers(FIRST, 512);
    for (int i = 0; i < 8; i++) {
      // Rows i and i + 4 share a register, so that the last step finds quarters in order.
      int row = i < 4 ? i : i + 4;
      a.v(VMOVUPS, in[i].y(), at(source, displacement + row * stride));
      a.vi(VINSERTI64X4, 1, in[i], in[i], at(source, displacement + (row + 4) * stride));
    }
    Vector[] fours = interleave(a, in, registers(FIRST + 8, 512));
    Vector[] out = registers(FIRST + 8, 512);
    for (int i = 0; i < 4; i++) {
      a.vi(VSHUFI32X4, 0x88, out[i], fours[i], fours[i + 4]);
      a.vi(VSHUFI32X4, 0xDD, out[i + 4], fours[i], fours[i + 4]);
    }
    return out;
  }

  /** AVX2, 8 rows: as {@link #rows16}, in registers 0 to 15. */
  public static Vector[] rows8(Assembler a, Gpr source, int displacement, int stride) {
    Vector[] in = registers(0, 256);
    for (int i = 0; i < 8; i++) {
      a.v(VMOVUPS, in[i], at(source, displacement + i * stride));
    }
    Vector[] fours = interleave(a, in, registers(8, 256));
    Vector[] out = registers(8, 256);
    for (int i = 0; i < 4; i++) {
      a.vi(VPERM2I128, 0x20, out[i], fours[i], fours[i + 4]);
      a.vi(VPERM2I128, 0x31, out[i + 4], fours[i], fours[i + 4]);
    }
    return out;
  }

  /**
   * Within each 128-bit lane, transposes registers 0-3 and 4-7: result i has element i of the first
   * four, result i + 4 that of the others. Results take the place of the inputs.
   */
  private static Vector[] interleave(Assembler a, Vector[] in, Vector[] pairs) {
    for (int i = 0; i < 8; i += 4) {
      quarters(a, Arrays.copyOfRange(in, i, i + 4), Arrays.copyOfRange(pairs, i, i + 4));
    }
    return in;
  }

  /**
   * Transposes four registers of 4 elements, in each 128-bit lane by itself.
   *
   * @param in the registers; element i of all goes to register i
   * @param pairs four others, changed
   */
  public static void quarters(Assembler a, Vector[] in, Vector[] pairs) {
    quarters(a, in, pairs, in);
  }

  /**
   * As above, into registers of their own.
   *
   * @param out the results; may be {@code in}
   */
  public static void quarters(Assembler a, Vector[] in, Vector[] pairs, Vector[] out) {
    for (int i = 0; i < 4; i += 2) {
      a.v(VPUNPCKLDQ, pairs[i], in[i], in[i + 1]);
      a.v(VPUNPCKHDQ, pairs[i + 1], in[i], in[i + 1]);
    }
    a.v(VPUNPCKLQDQ, out[0], pairs[0], pairs[2]);
    a.v(VPUNPCKHQDQ, out[1], pairs[0], pairs[2]);
    a.v(VPUNPCKLQDQ, out[2], pairs[1], pairs[3]);
    a.v(VPUNPCKHQDQ, out[3], pairs[1], pairs[3]);
  }

  private static Vector[] registers(int first, int bits) {
    Vector[] registers = new Vector[8];
    for (int i = 0; i < 8; i++) {
      registers[i] = bits == 512 ? Vector.zmm(first + i) : Vector.ymm(first + i);
    }
    return registers;
  }
}
