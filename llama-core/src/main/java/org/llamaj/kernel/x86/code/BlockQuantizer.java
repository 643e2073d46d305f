package org.llamaj.kernel.x86.code;

import static org.llamaj.kernel.x86.assembler.Instruction.VANDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2DQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPACKSSDW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPACKSSWB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMADDUBSW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMADDWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSHUFD;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Emits the quantisation of 32 activations: symmetric, the largest magnitude becomes 127. AVX2, in
 * registers below 12.
 */
public final class BlockQuantizer {
  /** The 32 signed bytes. */
  public static final Vector VALUES = Vector.ymm(0);

  /** The scale, in lane 0. */
  public static final Vector SCALE = Vector.xmm(1);

  /** The sum of each 4 values, as ints. */
  public static final Vector SUMS_4 = Vector.ymm(2);

  /** The sum of the first 16 values in each lane of the lower half, of the others in the upper. */
  public static final Vector SUMS_16 = Vector.ymm(3);

  private static final float SMALLEST = 1e-30f;

  private final KernelBuilder k;
  private final Assembler a;

  /** Loads constants into registers 8 to 11. */
  public BlockQuantizer(KernelBuilder kernel) {
    k = kernel;
    a = kernel.a;
    a.v(VMOVUPS, ones8(), k.bytes32(1));
    a.v(VMOVUPS, ones16(), k.ints(65537, 65537, 65537, 65537, 65537, 65537, 65537, 65537));
    // Undoes the order in which the packing instructions, which stay within halves, leave fours.
    a.v(VMOVUPS, order(), k.ints(0, 4, 1, 5, 2, 6, 3, 7));
    int noSign = 0x7FFF_FFFF;
    a.v(VMOVUPS, noSign(), k.ints(noSign, noSign, noSign, noSign, noSign, noSign, noSign, noSign));
  }

  private static Vector ones8() {
    return Vector.ymm(8);
  }

  private static Vector ones16() {
    return Vector.ymm(9);
  }

  private static Vector order() {
    return Vector.ymm(10);
  }

  private static Vector noSign() {
    return Vector.ymm(11);
  }

  /** Quantises the 32 floats at the register. */
  public void quantize(Gpr source) {
    Vector[] x = {Vector.ymm(4), Vector.ymm(5), Vector.ymm(6), Vector.ymm(7)};
    Vector largest = Vector.ymm(0);
    Vector other = Vector.ymm(2);
    for (int i = 0; i < 4; i++) {
      a.v(VMOVUPS, x[i], Address.at(source, 32 * i));
      a.v(VANDPS, i == 0 ? largest : other, x[i], noSign());
      if (i > 0) {
        a.v(VMAXPS, largest, largest, other);
      }
    }
    k.maxLanes(largest, other);
    a.v(VMULSS, SCALE, largest.x(), k.scalar(1f / 127));
    a.v(VMAXSS, largest.x(), largest.x(), k.scalar(SMALLEST));
    a.v(VMOVSS, other.x(), k.scalar(127));
    a.v(VDIVSS, other.x(), other.x(), largest.x());
    a.v(VBROADCASTSS, other, other.x());
    for (Vector part : x) {
      a.v(VMULPS, part, part, other);
      a.v(VCVTPS2DQ, part, part);
    }
    a.v(VPACKSSDW, x[0], x[0], x[1]);
    a.v(VPACKSSDW, x[2], x[2], x[3]);
    a.v(VPACKSSWB, x[0], x[0], x[2]);
    a.v(VPERMD, VALUES, order(), x[0]);
    a.v(VPMADDUBSW, SUMS_4, ones8(), VALUES);
    a.v(VPMADDWD, SUMS_4, SUMS_4, ones16());
    a.vi(VPSHUFD, 0x4E, SUMS_16, SUMS_4);
    a.v(VPADDD, SUMS_16, SUMS_16, SUMS_4);
    a.vi(VPSHUFD, 0xB1, x[0], SUMS_16);
    a.v(VPADDD, SUMS_16, SUMS_16, x[0]);
  }
}
