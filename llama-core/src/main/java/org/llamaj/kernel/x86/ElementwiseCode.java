package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Operations on values at the same place of two arrays, in place of the first. AVX2: memory is the
 * limit. Arguments: address of the first array, of the second, number of values.
 */
final class ElementwiseCode {
  private static final Gpr X = Gpr.RDI;
  private static final Gpr Y = Gpr.RSI;
  private static final Gpr COUNT = Gpr.RDX;
  private static final Vector VX = Vector.ymm(0);
  private static final Vector VY = Vector.ymm(1);

  private ElementwiseCode() {}

  /** x + y. */
  static byte[] add() {
    KernelBuilder k = new KernelBuilder(0);
    return assemble(k, () -> k.a.v(VADDPS, VX, VX, VY));
  }

  /** x / (1 + exp(-x)) * y. */
  static byte[] swiGlu() {
    KernelBuilder k = new KernelBuilder(0);
    return assemble(
        k,
        () -> {
          Vector exponent = Vector.ymm(2);
          Vector power = Vector.ymm(4);
          k.a.v(VMULPS, exponent, VX, k.float8(-ExponentialCode.LOG2_E));
          ExponentialCode.emit(k, exponent, Vector.ymm(3), power);
          k.a.v(VADDPS, power, power, k.float8(1));
          k.a.v(VDIVPS, VX, VX, power);
          k.a.v(VMULPS, VX, VX, VY);
        });
  }

  /** Eight values at a time, then one at a time. */
  private static byte[] assemble(KernelBuilder k, Runnable operation) {
    Assembler a = k.a;
    Label ones = new Label();
    Label end = new Label();
    loop(k, 8, VMOVUPS, VX, VY, operation, ones);
    a.bind(ones);
    loop(k, 1, VMOVSS, VX.x(), VY.x(), operation, end);
    a.bind(end);
    return k.finish();
  }

  private static void loop(
      KernelBuilder k,
      int step,
      Instruction move,
      Vector x,
      Vector y,
      Runnable operation,
      Label end) {
    Assembler a = k.a;
    Label top = new Label();
    a.bind(top);
    a.cmp(COUNT, step);
    a.j(Condition.LESS, end);
    a.v(move, x, at(X));
    a.v(move, y, at(Y));
    operation.run();
    a.v(move, at(X), x);
    a.add(X, 4 * step);
    a.add(Y, 4 * step);
    a.sub(COUNT, step);
    a.jmp(top);
  }
}
