package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTF128;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.BlockQuantizer;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Quantises one row of activations into the layout of {@link QuantizedRow}. */
public final class QuantizeCode {
  private QuantizeCode() {}

  /**
   * Arguments: address of the floats, of the first record, bytes from one record to the next.
   *
   * @param values in the row, a multiple of 32
   */
  public static byte[] assemble(int values) {
    KernelBuilder k = new KernelBuilder(0);
    Assembler a = k.a;
    BlockQuantizer quantizer = new BlockQuantizer(k);
    int blocks = values / 32;
    Runnable full = () -> record(k, quantizer, 8);
    k.repeat(blocks / 8, Gpr.R11, full);
    if (blocks % 8 > 0) {
      clearFactors(k);
      record(k, quantizer, blocks % 8);
    }
    return k.finish();
  }

  /** So that factors of blocks which the last record does not have are numbers, if unused. */
  private static void clearFactors(KernelBuilder k) {
    Vector zero = Vector.ymm(4);
    k.zero(zero);
    for (int offset = QuantizedRow.SCALES; offset < QuantizedRow.RECORD_BYTES; offset += 32) {
      k.a.v(VMOVUPS, at(Gpr.RSI, offset), zero);
    }
  }

  private static void record(KernelBuilder k, BlockQuantizer quantizer, int blocks) {
    Assembler a = k.a;
    Gpr source = Gpr.RDI;
    Gpr record = Gpr.RSI;
    Gpr block32 = Gpr.R9;
    Gpr block4 = Gpr.RCX;
    Gpr block8 = Gpr.R8;
    a.mov(block32, record);
    a.lea(block4, at(record, QuantizedRow.SCALES));
    a.lea(block8, at(record, QuantizedRow.SUMS_16));
    k.repeat(
        blocks,
        Gpr.RAX,
        () -> {
          Vector t = Vector.ymm(4);
          Vector upper = Vector.ymm(5);
          quantizer.quantize(source);
          a.v(VMOVUPS, at(block32, QuantizedRow.VALUES), BlockQuantizer.VALUES);
          a.v(VMOVSS, at(block4), BlockQuantizer.SCALE);
          a.vi(VPSLLD, 7, t, BlockQuantizer.SUMS_4);
          k.zero(upper);
          a.v(VPSUBD, t, upper, t);
          a.v(VMOVUPS, at(block32, QuantizedRow.OFFSETS), t);
          a.v(VCVTDQ2PS, t, BlockQuantizer.SUMS_16);
          a.v(VBROADCASTSS, upper, BlockQuantizer.SCALE);
          a.v(VMULPS, t, t, upper);
          a.vi(VEXTRACTF128, 1, upper.x(), t);
          a.v(VMOVSS, at(block8), t.x());
          a.v(VMOVSS, at(block8, 4), upper.x());
          a.v(VADDSS, t.x(), t.x(), upper.x());
          a.v(VMOVSS, at(block4, QuantizedRow.SUMS_32 - QuantizedRow.SCALES), t.x());
          a.add(source, 128);
          a.add(block32, 32);
          a.add(block4, 4);
          a.add(block8, 8);
        });
    a.add(record, Gpr.RDX);
  }
}
