package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD213PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.ExponentialCode;
import org.llamaj.kernel.x86.code.KernelBuilder;

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

  /**
   * x/2 (1 + erf(x / sqrt 2)) = max(x, 0) - |x|/2 erfc(|x| / sqrt 2), with the approximation 7.1.26
   * of Abramowitz and Stegun's Handbook, whose error is below 1.5e-7. The second array is not used.
   */
  static byte[] gelu() {
    float[] coefficients = {1.061405429f, -1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
    KernelBuilder k = new KernelBuilder(0);
    Vector absolute = VY;
    Vector exponent = Vector.ymm(2);
    Vector power = Vector.ymm(4);
    Vector t = Vector.ymm(5);
    Vector sum = Vector.ymm(6);
    Vector zero = Vector.ymm(7);
    return assemble(
        k,
        () -> {
          Assembler a = k.a;
          k.zero(zero);
          a.v(VSUBPS, absolute, zero, VX);
          a.v(VMAXPS, absolute, absolute, VX);
          a.v(VMULPS, exponent, VX, VX);
          a.v(VMULPS, exponent, exponent, k.float8(-0.5f * ExponentialCode.LOG2_E));
          ExponentialCode.emit(k, exponent, Vector.ymm(3), power);
          a.v(VMULPS, exponent, absolute, k.float8(0.3275911f * (float) Math.sqrt(0.5)));
          a.v(VADDPS, exponent, exponent, k.float8(1));
          a.v(VMOVUPS, t, k.float8(1));
          a.v(VDIVPS, t, t, exponent);
          a.v(VMOVUPS, sum, k.float8(coefficients[0]));
          for (int i = 1; i < coefficients.length; i++) {
            a.v(VFMADD213PS, sum, t, k.float8(coefficients[i]));
          }
          a.v(VMULPS, sum, sum, t);
          a.v(VMULPS, sum, sum, power);
          a.v(VMULPS, sum, sum, absolute);
          a.v(VMULPS, sum, sum, k.float8(0.5f));
          a.v(VMAXPS, VX, VX, zero);
          a.v(VSUBPS, VX, VX, sum);
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
