package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VSQRTSS;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Root mean square normalisation of rows of a fixed length. AVX2. */
final class NormCode {
  private static final Gpr INPUT = Gpr.RDI;
  private static final Gpr WEIGHT = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr EPSILON = Gpr.R8;
  private static final Gpr OFFSET = Gpr.RAX;
  private static final Gpr COUNTER = Gpr.R9;
  private static final int SUMS = 4;

  private NormCode() {}

  /**
   * Arguments: address of the rows, of the weight, of the results, number of rows, the bits of
   * epsilon.
   *
   * @param columns in a row
   * @param weighted whether there is a weight
   */
  static byte[] assemble(int columns, boolean weighted) {
    KernelBuilder k = new KernelBuilder(0);
    Assembler a = k.a;
    k.loop(
        ROWS,
        () -> {
          for (int i = 0; i < SUMS; i++) {
            k.zero(Vector.ymm(i));
          }
          Vector x = Vector.ymm(4);
          pass(
              k,
              columns,
              (move, wide, i) -> {
                a.v(move, wide ? x : x.x(), source(INPUT, i));
                a.v(VFMADD231PS, Vector.ymm(i % SUMS), x, x);
              });
          for (int i = 1; i < SUMS; i++) {
            a.v(VADDPS, Vector.ymm(0), Vector.ymm(0), Vector.ymm(i));
          }
          Vector factor = Vector.ymm(0);
          k.sumLanes(factor, Vector.ymm(1));
          a.v(VMULSS, factor.x(), factor.x(), k.scalar(1f / columns));
          a.vmovd(Vector.xmm(1), EPSILON);
          a.v(VADDSS, factor.x(), factor.x(), Vector.xmm(1));
          a.v(VSQRTSS, factor.x(), factor.x(), factor.x());
          a.v(VMOVSS, Vector.xmm(1), k.scalar(1));
          a.v(VDIVSS, factor.x(), Vector.xmm(1), factor.x());
          a.v(VBROADCASTSS, factor, factor.x());
          pass(
              k,
              columns,
              (move, wide, i) -> {
                Vector y = wide ? x : x.x();
                Vector w = Vector.ymm(5);
                a.v(move, y, source(INPUT, i));
                a.v(VMULPS, x, x, factor);
                if (weighted) {
                  a.v(move, wide ? w : w.x(), source(WEIGHT, i));
                  a.v(VMULPS, x, x, w);
                }
                a.v(move, source(OUTPUT, i), y);
              });
          a.add(INPUT, 4 * columns);
          a.add(OUTPUT, 4 * columns);
        });
    return k.finish();
  }

  /** What is done with 8 values, or with a single one. */
  private interface Step {
    void emit(Instruction move, boolean wide, int index);
  }

  /** Passes over a row: steps of 4 x 8, 8 and 1 values. */
  private static void pass(KernelBuilder k, int columns, Step step) {
    Assembler a = k.a;
    a.xor(OFFSET, OFFSET);
    k.repeat(
        columns / 32,
        COUNTER,
        () -> {
          for (int i = 0; i < 4; i++) {
            step.emit(VMOVUPS, true, i);
          }
          a.add(OFFSET, 128);
        });
    k.repeat(
        columns % 32 / 8,
        COUNTER,
        () -> {
          step.emit(VMOVUPS, true, 0);
          a.add(OFFSET, 32);
        });
    k.repeat(
        columns % 8,
        COUNTER,
        () -> {
          step.emit(VMOVSS, false, 0);
          a.add(OFFSET, 4);
        });
  }

  private static Address source(Gpr base, int index) {
    return at(base, OFFSET, 1, 32 * index);
  }
}
