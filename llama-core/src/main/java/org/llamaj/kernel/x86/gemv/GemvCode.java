package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231SS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFNMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPABSB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD_VEX;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMADDUBSW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMADDWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSIGNB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXOR;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.format.BlockFormat;
import org.llamaj.kernel.x86.format.BlockReader;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;

/**
 * Products of quantised weight rows with one row of quantised activations. The weights are taken
 * once, in the order of memory; integer dot products of 32 values, summed in float32. AVX2 or
 * AVX-VNNI; {@link WideGemvCode} does the same in AVX-512 VNNI.
 */
public final class GemvCode {
  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr ACTIVATIONS = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr RECORD = Gpr.R9;
  private static final Gpr COUNTER = Gpr.RAX;

  private static final Vector PRODUCT = Vector.ymm(7);
  private static final Vector FACTOR = Vector.ymm(6);
  private static final Vector ONES_16 = Vector.ymm(14);

  /** Two sums, as one would make each addition wait for the one before. */
  private static final Vector[] SUMS = {Vector.ymm(12), Vector.ymm(13)};

  /** The part of small blocks' minima, in lane 0. */
  private static final Vector MINIMUM_SUM = Vector.ymm(15);

  private final BlockFormat format;
  private final int values;
  private final boolean vnni;
  private final int prefetch;
  private final KernelBuilder k;
  private final Assembler a;
  private final BlockReader reader;

  private GemvCode(BlockFormat format, int values, boolean vnni, int prefetch) {
    this.format = format;
    this.values = values;
    this.vnni = vnni;
    this.prefetch = prefetch;
    k = new KernelBuilder(32);
    a = k.a;
    reader = new BlockReader(k, WEIGHTS);
  }

  /**
   * Arguments: address of the weight rows, of the {@link QuantizedRow}, of the first result, number
   * of weight rows (at least 1).
   *
   * @param format of the weights
   * @param values in a row
   * @param level whether there are AVX-VNNI's dot products, or AVX2's
   * @param prefetch how many bytes ahead to ask for weights; 0 to leave that to the hardware
   */
  public static byte[] assemble(BlockFormat format, int values, Level level, int prefetch) {
    if (values % format.blockValues() != 0) {
      throw new IllegalArgumentException(format + " x " + values);
    }
    return new GemvCode(format, values, level.has(Feature.AVX_VNNI), prefetch).assemble();
  }

  private byte[] assemble() {
    format.constants(reader);
    a.v(VMOVUPS, ONES_16, k.ints(65537, 65537, 65537, 65537, 65537, 65537, 65537, 65537));
    int blocks = values / 32;
    k.loop(
        ROWS,
        () -> {
          k.zero(SUMS[0]);
          k.zero(SUMS[1]);
          k.zero(MINIMUM_SUM);
          a.mov(RECORD, ACTIVATIONS);
          k.repeat(blocks / 8, COUNTER, () -> record(8));
          record(blocks % 8);
          store();
        });
    return k.finish();
  }

  /** Up to 256 values. */
  private void record(int blocks) {
    if (blocks == 0) {
      return;
    }
    int bytes = blocks * 32 / format.blockValues() * format.blockBytes();
    for (int line = 0; prefetch > 0 && line < bytes; line += 64) {
      a.prefetcht0(at(WEIGHTS, prefetch + line));
    }
    if (format.blockValues() == 32) {
      for (int block = 0; block < blocks; block++) {
        reader.moveTo(block * format.blockBytes());
        smallBlock(block);
      }
    } else {
      reader.moveTo(0);
      superBlock();
    }
    a.add(WEIGHTS, bytes);
    a.add(RECORD, QuantizedRow.RECORD_BYTES);
  }

  private void smallBlock(int block) {
    Vector scale = BlockReader.SCALES[0];
    reader.half(0, scale);
    if (format.hasMinima()) {
      Vector minimum = BlockReader.SCALES[1];
      reader.half(2, minimum);
      Address sum = at(RECORD, QuantizedRow.SUMS_32 + 4 * block);
      a.v(VFMADD231SS, MINIMUM_SUM.x(), minimum.x(), sum);
    }
    format.values(reader, 0, BlockReader.VALUES);
    dot(block);
    addScaled(block, scale);
  }

  private void superBlock() {
    format.scales(reader);
    boolean wide = format.scaleValues() == 32;
    if (format.hasMinima()) {
      int sums = wide ? QuantizedRow.SUMS_32 : QuantizedRow.SUMS_16;
      a.v(VFNMADD231PS, SUMS[0], BlockReader.MINIMA[0], at(RECORD, sums));
      if (!wide) {
        a.v(VFNMADD231PS, SUMS[1], BlockReader.MINIMA[1], at(RECORD, sums + 32));
      }
    }
    if (wide) {
      a.v(VMULPS, FACTOR, BlockReader.SCALES[0], at(RECORD, QuantizedRow.SCALES));
      a.v(VMOVUPS, at(Gpr.RSP), FACTOR);
    }
    for (int sub = 0; sub < 8; sub++) {
      format.values(reader, sub, BlockReader.VALUES);
      dot(sub);
      if (wide) {
        addProduct(sub, at(Gpr.RSP, 4 * sub));
      } else {
        int first = sub % 4 * 2;
        int second = first + 1;
        Vector scale = BlockReader.T0;
        a.v(VMOVUPS, scale, k.ints(first, first, first, first, second, second, second, second));
        a.v(VPERMPS, scale, scale, BlockReader.SCALES[sub / 4]);
        addScaled(sub, scale);
      }
    }
  }

  /** PRODUCT = float of the 8 dot products of 4 values each. */
  private void dot(int block) {
    Address x = at(RECORD, QuantizedRow.VALUES + 32 * block);
    if (vnni) {
      if (format.hasMinima()) {
        k.zero(PRODUCT);
      } else {
        a.v(VMOVUPS, PRODUCT, at(RECORD, QuantizedRow.OFFSETS + 32 * block));
      }
      a.v(VPDPBUSD_VEX, PRODUCT, BlockReader.VALUES, x);
    } else if (format.hasMinima()) {
      // At most 31 * 127 * 2: the 16-bit sums cannot saturate.
      a.v(VPMADDUBSW, PRODUCT, BlockReader.VALUES, x);
      a.v(VPMADDWD, PRODUCT, PRODUCT, ONES_16);
    } else {
      // At most 128 * 127 * 2 with the weight's sign given to the activation.
      Vector weights = BlockReader.VALUES;
      a.v(VPXOR, weights, weights, k.bytes32(0x80));
      a.v(VMOVUPS, PRODUCT, x);
      a.v(VPSIGNB, PRODUCT, PRODUCT, weights);
      a.v(VPABSB, weights, weights);
      a.v(VPMADDUBSW, PRODUCT, weights, PRODUCT);
      a.v(VPMADDWD, PRODUCT, PRODUCT, ONES_16);
    }
    a.v(VCVTDQ2PS, PRODUCT, PRODUCT);
  }

  private void addScaled(int block, Vector scale) {
    Address x = at(RECORD, QuantizedRow.SCALES + 4 * block);
    a.v(VBROADCASTSS, FACTOR, x);
    a.v(VMULPS, FACTOR, FACTOR, scale);
    a.v(VFMADD231PS, SUMS[block % 2], PRODUCT, FACTOR);
  }

  private void addProduct(int block, Address factor) {
    a.v(VBROADCASTSS, FACTOR, factor);
    a.v(VFMADD231PS, SUMS[block % 2], PRODUCT, FACTOR);
  }

  private void store() {
    Vector total = SUMS[0];
    a.v(VADDPS, total, total, SUMS[1]);
    k.sumLanes(total, SUMS[1]);
    if (format.unit() != 1) {
      a.v(VMULSS, total.x(), total.x(), k.scalar(format.unit()));
    }
    a.v(VADDSS, total.x(), total.x(), MINIMUM_SUM.x());
    a.v(VMOVSS, at(OUTPUT), total.x());
    a.add(OUTPUT, 4);
  }
}
