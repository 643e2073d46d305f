package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADDSUB213PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFNMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VSHUFPS;

import java.util.function.IntFunction;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Rotary position embedding of all heads of a row. AVX2. */
final class RotateCode {
  private static final Gpr HEAD = Gpr.RDI;
  private static final Gpr ANGLES = Gpr.RSI;
  private static final Gpr HEADS = Gpr.RDX;
  private static final Gpr PAIR = Gpr.RAX;

  private RotateCode() {}

  /**
   * Arguments: address of the first head, of the row's angles (cosine and sine interleaved), number
   * of heads.
   *
   * @param headDim values per head
   * @param rotated how many of them are rotated, even
   */
  static byte[] assemble(int headDim, int rotated) {
    KernelBuilder k = new KernelBuilder(64);
    Assembler a = k.a;
    k.loop(
        HEADS,
        () -> {
          Vector x = Vector.ymm(0);
          Vector angle = Vector.ymm(1);
          int i = 0;
          for (; i + 8 <= rotated; i += 8) {
            a.v(VMOVUPS, x, at(HEAD, 4 * i));
            a.v(VMOVUPS, angle, at(ANGLES, 4 * i));
            rotate(a, x, angle);
            a.v(VMOVUPS, at(HEAD, 4 * i), x);
          }
          for (; i < rotated; i += 2) {
            a.mov(PAIR, at(HEAD, 4 * i));
            a.mov(at(Gpr.RSP), PAIR);
            a.mov(PAIR, at(ANGLES, 4 * i));
            a.mov(at(Gpr.RSP, 32), PAIR);
            a.v(VMOVUPS, x, at(Gpr.RSP));
            a.v(VMOVUPS, angle, at(Gpr.RSP, 32));
            rotate(a, x, angle);
            a.v(VMOVUPS, at(Gpr.RSP), x);
            a.mov(PAIR, at(Gpr.RSP));
            a.mov(at(HEAD, 4 * i), PAIR);
          }
          a.add(HEAD, 4 * headDim);
        });
    return k.finish();
  }

  /**
   * As {@link #assemble}, for pairs half of the rotated components apart; the row's angles are all
   * cosines, then all sines.
   */
  static byte[] assembleHalves(int headDim, int rotated) {
    KernelBuilder k = new KernelBuilder(0);
    Assembler a = k.a;
    int half = rotated / 2;
    k.loop(
        HEADS,
        () -> {
          int i = 0;
          for (; i + 8 <= half; i += 8) {
            rotateHalves(a, VMOVUPS, Vector::ymm, i, half);
          }
          for (; i < half; i++) {
            rotateHalves(a, VMOVSS, Vector::xmm, i, half);
          }
          a.add(HEAD, 4 * headDim);
        });
    return k.finish();
  }

  private static void rotateHalves(
      Assembler a, Instruction move, IntFunction<Vector> register, int i, int half) {
    Vector x0 = register.apply(0);
    Vector x1 = register.apply(1);
    Vector cosine = register.apply(2);
    Vector sine = register.apply(3);
    Vector turned0 = register.apply(4);
    Vector turned1 = register.apply(5);
    a.v(move, x0, at(HEAD, 4 * i));
    a.v(move, x1, at(HEAD, 4 * (i + half)));
    a.v(move, cosine, at(ANGLES, 4 * i));
    a.v(move, sine, at(ANGLES, 4 * (i + half)));
    a.v(VMULPS, turned0, x0, cosine);
    a.v(VFNMADD231PS, turned0, x1, sine);
    a.v(VMULPS, turned1, x1, cosine);
    a.v(VFMADD231PS, turned1, x0, sine);
    a.v(move, at(HEAD, 4 * i), turned0);
    a.v(move, at(HEAD, 4 * (i + half)), turned1);
  }

  /** (x0, x1) becomes (x0 cos - x1 sin, x1 cos + x0 sin). */
  private static void rotate(Assembler a, Vector x, Vector angle) {
    Vector cosine = Vector.ymm(2);
    Vector sine = Vector.ymm(3);
    Vector swapped = Vector.ymm(4);
    a.vi(VSHUFPS, 0b10_10_00_00, cosine, angle, angle);
    a.vi(VSHUFPS, 0b11_11_01_01, sine, angle, angle);
    a.vi(VSHUFPS, 0b10_11_00_01, swapped, x, x);
    a.v(VMULPS, swapped, swapped, sine);
    a.v(VFMADDSUB213PS, x, cosine, swapped);
  }
}
