package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFNMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VINSERTI64X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * The products of {@link GemvCode} in AVX-512 VNNI: 64 values at a time, and the scales of 256 at
 * once. A core takes weights faster than memory gives them.
 */
final class WideGemvCode {
  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr ACTIVATIONS = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr RECORD = Gpr.R9;
  private static final Gpr COUNTER = Gpr.RAX;

  private static final Vector VALUES = BlockReader.VALUES.z();
  private static final Vector PRODUCT = Vector.zmm(14);

  /** The scales of 256 values, weights' times activations'. */
  private static final Vector FACTORS = Vector.zmm(30);

  private static final Vector FACTOR = Vector.zmm(31);

  /** Two sums, as one would make each addition wait for the one before. */
  private static final Vector[] SUMS = {Vector.zmm(12), Vector.zmm(13)};

  private static final Vector MINIMUM_SUM = Vector.ymm(15);

  /** Which factors belong to the lanes of each 64 values: 16 to 19. */
  private static final int FIRST_ORDER = 16;

  /** Each of 8 numbers twice. */
  private static final Vector TWICE = Vector.zmm(20);

  private final BlockFormat format;
  private final int values;
  private final int prefetch;
  private final KernelBuilder k = new KernelBuilder(0);
  private final Assembler a = k.a;
  private final BlockReader reader = new BlockReader(k, WEIGHTS);

  private WideGemvCode(BlockFormat format, int values, int prefetch) {
    this.format = format;
    this.values = values;
    this.prefetch = prefetch;
  }

  /** As {@link GemvCode#assemble}. */
  static byte[] assemble(BlockFormat format, int values, int prefetch) {
    return new WideGemvCode(format, values, prefetch).assemble();
  }

  private byte[] assemble() {
    constants();
    int whole = QuantizedRow.RECORD_VALUES;
    k.loop(
        ROWS,
        () -> {
          for (Vector sum : SUMS) {
            k.zero(sum);
          }
          k.zero(MINIMUM_SUM);
          a.mov(RECORD, ACTIVATIONS);
          k.repeat(values / whole, COUNTER, () -> record(whole));
          if (values % whole > 0) {
            record(values % whole);
          }
          store();
        });
    return k.finish();
  }

  private void constants() {
    format.constants(reader);
    format.wideConstants(reader);
    a.mov(COUNTER, 0xFF00);
    a.kmovq(BlockReader.UPPER_HALF, COUNTER);
    int lanesOfScale = format.scaleValues() / 4;
    for (int pair = 0; pair < 4; pair++) {
      int[] order = new int[16];
      for (int lane = 0; lane < 16; lane++) {
        order[lane] = (16 * pair + lane) / lanesOfScale;
      }
      a.v(VMOVUPS, Vector.zmm(FIRST_ORDER + pair), k.ints(order));
    }
    if (format.scaleValues() == 16) {
      a.v(VMOVUPS, TWICE, k.ints(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
    }
  }

  /** Up to 256 values. */
  private void record(int count) {
    int bytes = count / format.blockValues() * format.blockBytes();
    for (int line = 0; prefetch > 0 && line < bytes; line += 64) {
      a.prefetcht0(at(WEIGHTS, prefetch + line));
    }
    format.recordScales(reader, count);
    if (format.hasMinima()) {
      minima();
    }
    factors();
    for (int pair = 0; 64 * pair < count; pair++) {
      if (64 * (pair + 1) <= count) {
        format.wideValues(reader, pair, VALUES);
      } else {
        format.values(reader, 2 * pair, VALUES.y());
      }
      product(pair);
    }
    a.add(WEIGHTS, bytes);
    a.add(RECORD, QuantizedRow.RECORD_BYTES);
  }

  /** Blocks of 32 add their minimum, blocks of 256 subtract it. */
  private void minima() {
    boolean each32 = format.scaleValues() == 32;
    for (int i = 0; i < 32 / format.scaleValues(); i++) {
      a.v(
          format.blockValues() == 32 ? VFMADD231PS : VFNMADD231PS,
          MINIMUM_SUM,
          BlockReader.MINIMA[i],
          at(RECORD, (each32 ? QuantizedRow.SUMS_32 : QuantizedRow.SUMS_16) + 32 * i));
    }
  }

  private void factors() {
    if (format.scaleValues() == 32) {
      a.v(VMULPS, FACTORS.y(), BlockReader.SCALES[0], at(RECORD, QuantizedRow.SCALES));
    } else {
      a.v(VPERMPS, FACTORS, TWICE, at(RECORD, QuantizedRow.SCALES));
      Vector scales = BlockReader.SCALES[0].z();
      a.vi(VINSERTI64X4, 1, scales, scales, BlockReader.SCALES[1]);
      a.v(VMULPS, FACTORS, FACTORS, scales);
    }
  }

  private void product(int pair) {
    if (format.hasMinima()) {
      k.zero(PRODUCT);
    } else {
      a.v(VMOVUPS, PRODUCT, at(RECORD, QuantizedRow.OFFSETS + 64 * pair));
    }
    a.v(VPDPBUSD, PRODUCT, VALUES, at(RECORD, QuantizedRow.VALUES + 64 * pair));
    a.v(VCVTDQ2PS, PRODUCT, PRODUCT);
    a.v(VPERMPS, FACTOR, Vector.zmm(FIRST_ORDER + pair), FACTORS);
    a.v(VFMADD231PS, SUMS[pair % 2], PRODUCT, FACTOR);
  }

  private void store() {
    Vector total = SUMS[0];
    a.v(VADDPS, total, total, SUMS[1]);
    k.sumLanes(total, SUMS[1]);
    if (format.unit() != 1) {
      a.v(VMULSS, total.x(), total.x(), k.scalar(format.unit()));
    }
    if (format.hasMinima()) {
      k.sumLanes(MINIMUM_SUM, SUMS[1].y());
      a.v(VADDSS, total.x(), total.x(), MINIMUM_SUM.x());
    }
    a.v(VMOVSS, at(OUTPUT), total.x());
    a.add(OUTPUT, 4);
  }
}
