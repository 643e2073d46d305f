package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** The weighted sum of a few vectors. AVX2. */
final class CombineCode {
  private static final int LANES = 8;

  private CombineCode() {}

  /**
   * Arguments: address of the vectors, one after the other, of their weights, of the result, number
   * of vectors.
   *
   * @param length of the vectors, a multiple of 8
   */
  static byte[] assemble(int length) {
    KernelBuilder k = new KernelBuilder(0);
    Assembler a = k.a;
    Gpr vectors = Gpr.RDI;
    Gpr weights = Gpr.RSI;
    Gpr result = Gpr.RDX;
    Gpr count = Gpr.RCX;
    Gpr vector = Gpr.R8;
    Gpr weight = Gpr.R9;
    Gpr left = Gpr.R10;
    Vector sum = Vector.ymm(0);
    Vector factor = Vector.ymm(1);
    k.repeat(
        length / LANES,
        Gpr.RAX,
        () -> {
          k.zero(sum);
          a.mov(vector, vectors);
          a.mov(weight, weights);
          a.mov(left, count);
          k.loop(
              left,
              () -> {
                a.v(VBROADCASTSS, factor, at(weight));
                a.v(VFMADD231PS, sum, factor, at(vector));
                a.add(vector, 4 * length);
                a.add(weight, 4);
              });
          a.v(VMOVUPS, at(result), sum);
          a.add(vectors, 4 * LANES);
          a.add(result, 4 * LANES);
        });
    return k.finish();
  }
}
