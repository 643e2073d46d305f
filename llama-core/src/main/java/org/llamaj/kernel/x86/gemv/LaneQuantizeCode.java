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
import org.llamaj.kernel.x86.code.Transpose;

/** Quantises a row of activations into the layout of {@link LaneRecord}. AVX-512. */
public final class LaneQuantizeCode {
  private static final Gpr SOURCE = Gpr.RDI;
  private static final Gpr RECORD = Gpr.RSI;
  private static final Gpr STRIDE = Gpr.RDX;

  /** The record, moved on by the lanes of the blocks that are done. */
  private static final Gpr LANES = Gpr.RCX;

  private static final Gpr BUFFER = Gpr.R8;

  /** Where the sums of 16 and of 32 values of the next two blocks go. */
  private static final Gpr SUMS_16 = Gpr.R9;

  private static final Gpr SUMS_32 = Gpr.R10;

  private final KernelBuilder k = new KernelBuilder(LaneRecord.RECORD_VALUES);
  private final Assembler a = k.a;
  private final BlockQuantizer quantizer = new BlockQuantizer(k);

  private LaneQuantizeCode() {}

  /**
   * Arguments: address of the floats, of the first record, bytes from one record to the next.
   *
   * @param values in the row, a multiple of 32
   */
  public static byte[] assemble(int values) {
    return new LaneQuantizeCode().row(values / 32);
  }

  private byte[] row(int blocks) {
    k.repeat(
        blocks / 8,
        Gpr.R11,
        () -> {
          begin();
          k.repeat(
              4,
              Gpr.RAX,
              () -> {
                block(0);
                block(1);
                next();
              });
          end();
        });
    if (blocks % 8 > 0) {
      clear();
      begin();
      for (int i = 0; i < blocks % 8; i++) {
        block(i % 2);
        if (i % 2 == 1) {
          next();
        }
      }
      end();
    }
    return k.finish();
  }

  private void begin() {
    a.mov(LANES, RECORD);
    a.mov(BUFFER, Gpr.RSP);
    a.lea(SUMS_16, at(RECORD, LaneRecord.SUMS_16));
    a.lea(SUMS_32, at(RECORD, LaneRecord.SUMS_32 + 32));
    k.zero(Vector.ymm(4));
    a.v(VMOVUPS, at(RECORD, LaneRecord.SUMS_32), Vector.ymm(4));
  }

  private void next() {
    a.add(LANES, 4);
    a.add(SUMS_16, 16);
    a.add(SUMS_32, 8);
  }

  /** So that what the last record does not have counts as nothing. */
  private void clear() {
    Vector zero = Vector.zmm(16);
    k.zero(zero);
    for (int i = 0; i < LaneRecord.RECORD_VALUES; i += 64) {
      a.v(VMOVUPS, at(Gpr.RSP, i), zero);
    }
    for (int i = LaneRecord.OFFSETS; i < LaneRecord.RECORD_BYTES; i += 64) {
      a.v(VMOVUPS, at(RECORD, i), zero);
    }
  }

  /** The lanes of the halves of an even block are 16 bytes apart; the odd block's come behind. */
  private void block(int odd) {
    Vector t = Vector.ymm(4);
    Vector scale = Vector.ymm(5);
    int first = 32 * odd;
    quantizer.quantize(SOURCE);
    a.v(VMOVUPS, at(BUFFER), BlockQuantizer.VALUES);
    a.v(VMOVSS, at(LANES, LaneRecord.SCALES + first), BlockQuantizer.SCALE);
    a.v(VMOVSS, at(LANES, LaneRecord.SCALES + first + 16), BlockQuantizer.SCALE);
    a.vi(VPSLLD, 7, t, BlockQuantizer.SUMS_16);
    k.zero(scale);
    a.v(VPSUBD, t, scale, t);
    halves(t, LaneRecord.OFFSETS + first);
    a.v(VCVTDQ2PS, t, BlockQuantizer.SUMS_16);
    a.v(VBROADCASTSS, scale, BlockQuantizer.SCALE);
    a.v(VMULPS, t, t, scale);
    a.v(VMOVSS, at(SUMS_16, 8 * odd), t.x());
    a.vi(VEXTRACTF128, 1, scale.x(), t);
    a.v(VMOVSS, at(SUMS_16, 8 * odd + 4), scale.x());
    a.v(VADDSS, t.x(), t.x(), scale.x());
    a.v(VMOVSS, at(SUMS_32, 4 * odd), t.x());
    a.add(SOURCE, 128);
    a.add(BUFFER, 32);
  }

  private void halves(Vector values, int place) {
    a.v(VMOVSS, at(LANES, place), values.x());
    a.vi(VEXTRACTF128, 1, values.x(), values);
    a.v(VMOVSS, at(LANES, place + 16), values.x());
  }

  /** Brings the bytes of 8 blocks into their lanes. */
  private void end() {
    Vector[] pairs = {Vector.zmm(16), Vector.zmm(17), Vector.zmm(18), Vector.zmm(19)};
    Vector[] other = {Vector.zmm(20), Vector.zmm(21), Vector.zmm(22), Vector.zmm(23)};
    for (int i = 0; i < pairs.length; i++) {
      a.v(VMOVUPS, pairs[i], at(Gpr.RSP, 64 * i));
    }
    Transpose.quarters(a, pairs, other);
    for (int i = 0; i < pairs.length; i++) {
      a.v(VMOVUPS, at(RECORD, LaneRecord.VALUES + 64 * i), pairs[i]);
    }
    a.add(RECORD, STRIDE);
  }
}
