package org.llamaj.kernel.x86.code;

import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD213PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMINPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Emits 2^x: the whole part of x goes to the exponent, the Taylor polynomial of degree 6 takes the
 * rest, which is at most one half; relative error about 1e-7. Outside -126 to 126 x is taken as the
 * nearer end.
 */
public final class ExponentialCode {
  /** 2^(x * LOG2_E) = e^x. */
  public static final float LOG2_E = 1.4426950408889634f;

  private static final int DEGREE = 6;
  private static final float LIMIT = 126;

  /** What is added to this is rounded to a whole number, which is then in the lowest bits. */
  private static final float WHOLE = 0x1.8p23f;

  private ExponentialCode() {}

  /**
   * @param x in: the argument; changed
   * @param whole changed
   * @param result another register
   */
  public static void emit(KernelBuilder k, Vector x, Vector whole, Vector result) {
    k.a.v(VMAXPS, x, x, k.all(-LIMIT, x.bits()));
    k.a.v(VMINPS, x, x, k.all(LIMIT, x.bits()));
    power(k, x, whole, result);
  }

  /** The same for arguments up to 0. */
  public static void emitUpTo0(KernelBuilder k, Vector x, Vector whole, Vector result) {
    k.a.v(VMAXPS, x, x, k.all(-LIMIT, x.bits()));
    power(k, x, whole, result);
  }

  private static void power(KernelBuilder k, Vector x, Vector whole, Vector result) {
    Assembler a = k.a;
    int bits = x.bits();
    a.v(VADDPS, whole, x, k.all(WHOLE, bits));
    a.v(VSUBPS, result, whole, k.all(WHOLE, bits));
    a.v(VSUBPS, x, x, result);
    double logOf2 = Math.log(2);
    double coefficient = 1;
    float[] coefficients = new float[DEGREE + 1];
    for (int i = 0; i <= DEGREE; i++) {
      coefficients[i] = (float) coefficient;
      coefficient *= logOf2 / (i + 1);
    }
    if (bits == 512) {
      a.v(VPBROADCASTD, result, k.scalar(coefficients[DEGREE]));
    } else {
      a.v(VMOVUPS, result, k.all(coefficients[DEGREE], bits));
    }
    for (int i = DEGREE - 1; i >= 0; i--) {
      a.v(VFMADD213PS, result, x, k.all(coefficients[i], bits));
    }
    a.vi(VPSLLD, 23, whole, whole);
    a.v(VPADDD, result, result, whole);
  }
}
