package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI128;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVDB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRAD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Emits the cutting of integers of 16 bits into two bytes, which VNNI multiplies. AVX-512. */
final class IntegerDigits {
  /** What 16 bits hold, less what rounding the upper digit may add. */
  static final float MOST = 127 * 256;

  /** So that nothing is divided by 0. */
  private static final float LEAST_MAXIMUM = 1e-30f;

  private IntegerDigits() {}

  /**
   * What to multiply with, in all lanes, so that the greatest magnitude becomes {@link #MOST}.
   *
   * @param top magnitudes; its lane 0 receives the greatest
   * @param changed another register
   * @param factor receives the factor
   */
  static void factor(KernelBuilder k, Vector top, Vector changed, Vector factor) {
    Assembler a = k.a;
    k.maxLanes(top, changed);
    a.v(VMAXSS, top.x(), top.x(), k.scalar(LEAST_MAXIMUM));
    a.v(VMOVSS, factor.x(), k.scalar(MOST));
    a.v(VDIVSS, factor.x(), factor.x(), top.x());
    a.v(VBROADCASTSS, factor, factor.x());
  }

  /**
   * Stores the digits of 16 integers: upper and lower, integer = 256 x upper + lower.
   *
   * @param changed another register
   * @param signed whether both digits are from -128 to 127; else both are from 0 to 255
   * @param upper where the upper digits go
   * @param toLower how far behind them the lower ones are
   */
  static void emit(
      KernelBuilder k, Vector x, Vector changed, boolean signed, Address upper, int toLower) {
    Assembler a = k.a;
    a.v(VPMOVDB, upper.plus(toLower), x);
    Vector rounded = x;
    if (signed) {
      a.v(VPADDD, changed, x, k.ints(128).toAll());
      rounded = changed;
    }
    a.vi(VPSRAD, 8, changed, rounded);
    a.v(VPMOVDB, upper, changed);
  }

  /**
   * What a sum of products has to begin with, if one side of them is 2^bits too large: minus the
   * sum of all lanes, times that. In lane 0.
   *
   * @param x below 16, as the other
   */
  static void offset(KernelBuilder k, Vector x, Vector other, int bits) {
    Assembler a = k.a;
    a.vi(VEXTRACTI64X4, 1, other.y(), x);
    a.v(VPADDD, x.y(), x.y(), other.y());
    a.vi(VEXTRACTI128, 1, other.x(), x.y());
    a.v(VPADDD, x.x(), x.x(), other.x());
    a.vi(VPSHUFD, 0x4E, other.x(), x.x());
    a.v(VPADDD, x.x(), x.x(), other.x());
    a.vi(VPSHUFD, 0xB1, other.x(), x.x());
    a.v(VPADDD, x.x(), x.x(), other.x());
    a.vi(VPSLLD, bits, x.x(), x.x());
    k.zero(other);
    a.v(VPSUBD, x.x(), other.x(), x.x());
  }
}
