package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD213PS;
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
 * Products of quantised weight rows with a few rows of quantised activations. The weights are taken
 * once, in the order of memory, and unpacked once for all rows of activations; integer dot products
 * of 32 values, summed in float32. A result does not depend on how many rows there are. AVX2 or
 * AVX-VNNI; {@link WideGemvCode} does the same in AVX-512 VNNI.
 */
public final class GemvCode {
  /** Most activation rows; their sums are in the frame but for a single row's. */
  public static final int MOST_TOKENS = 8;

  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr ACTIVATIONS = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr OUTPUT_STRIDE = Gpr.R8;
  private static final Gpr RECORD = Gpr.R9;
  private static final Gpr PLACE = Gpr.R11;
  private static final Gpr COUNTER = Gpr.RAX;

  private static final Vector PRODUCT = Vector.ymm(7);
  private static final Vector FACTOR = Vector.ymm(6);
  private static final Vector ONES_16 = Vector.ymm(14);

  /** The weights without their sign; none of the reader's temporaries is needed then. */
  private static final Vector MAGNITUDES = Vector.ymm(3);

  /** Two sums, as one would make each addition wait for the one before. */
  private static final Vector[] SUMS = {Vector.ymm(12), Vector.ymm(13)};

  /** The part of small blocks' minima, in lane 0. */
  private static final Vector MINIMUM_SUM = Vector.ymm(15);

  /** In the frame, for each activation row: factors of 8 blocks, and what is above. */
  private static final int FACTORS_AT = 0;

  private static final int SUMS_AT = 32;
  private static final int MINIMUM_SUM_AT = 96;
  private static final int TOKEN_BYTES = 128;

  private final BlockFormat format;
  private final int values;
  private final int tokens;
  private final boolean vnni;
  private final int prefetch;
  private final KernelBuilder k;
  private final Assembler a;
  private final BlockReader reader;

  private GemvCode(BlockFormat format, int values, int tokens, boolean vnni, int prefetch) {
    this.format = format;
    this.values = values;
    this.tokens = tokens;
    this.vnni = vnni;
    this.prefetch = prefetch;
    k = new KernelBuilder(tokens * TOKEN_BYTES);
    a = k.a;
    reader = new BlockReader(k, WEIGHTS);
  }

  /**
   * Arguments: address of the weight rows, of the first record of {@link QuantizedRow}, of the
   * first result, number of weight rows (at least 1), bytes between the results of neighbouring
   * activation rows. The records of the activation rows alternate.
   *
   * @param format of the weights
   * @param values in a row
   * @param tokens activation rows, 1 to {@link #MOST_TOKENS}
   * @param level whether there are AVX-VNNI's dot products, or AVX2's
   * @param prefetch how many bytes ahead to ask for weights; 0 to leave that to the hardware
   */
  public static byte[] assemble(
      BlockFormat format, int values, int tokens, Level level, int prefetch) {
    if (values % format.blockValues() != 0) {
      throw new IllegalArgumentException(format + " x " + values);
    }
    return new GemvCode(format, values, tokens, level.has(Feature.AVX_VNNI), prefetch).assemble();
  }

  private byte[] assemble() {
    format.constants(reader);
    a.v(VMOVUPS, ONES_16, k.ints(65537, 65537, 65537, 65537, 65537, 65537, 65537, 65537));
    int blocks = values / 32;
    k.loop(
        ROWS,
        () -> {
          begin();
          a.mov(RECORD, ACTIVATIONS);
          k.repeat(blocks / 8, COUNTER, () -> record(8));
          record(blocks % 8);
          store();
        });
    return k.finish();
  }

  private boolean inRegisters() {
    return tokens == 1;
  }

  private static Address frame(int token, int place) {
    return at(Gpr.RSP, token * TOKEN_BYTES + place);
  }

  private static Address activation(int token, int place) {
    return at(RECORD, token * QuantizedRow.RECORD_BYTES + place);
  }

  private void begin() {
    k.zero(SUMS[0]);
    k.zero(SUMS[1]);
    k.zero(MINIMUM_SUM);
    for (int token = 0; token < tokens && !inRegisters(); token++) {
      a.v(VMOVUPS, frame(token, SUMS_AT), SUMS[0]);
      a.v(VMOVUPS, frame(token, SUMS_AT + 32), SUMS[0]);
      a.v(VMOVSS, frame(token, MINIMUM_SUM_AT), SUMS[0].x());
    }
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
    a.add(RECORD, tokens * QuantizedRow.RECORD_BYTES);
  }

  private void smallBlock(int block) {
    Vector scale = BlockReader.SCALES[0];
    reader.half(0, scale);
    if (format.hasMinima()) {
      Vector minimum = BlockReader.SCALES[1];
      reader.half(2, minimum);
      for (int token = 0; token < tokens; token++) {
        addSmallMinimum(token, minimum, QuantizedRow.SUMS_32 + 4 * block);
      }
    }
    values(0);
    for (int token = 0; token < tokens; token++) {
      dot(block, token);
      addScaled(block, token, scale);
    }
  }

  private void superBlock() {
    format.scales(reader);
    boolean wide = format.scaleValues() == 32;
    for (int token = 0; token < tokens; token++) {
      if (format.hasMinima()) {
        subtractMinima(0, token, wide ? QuantizedRow.SUMS_32 : QuantizedRow.SUMS_16);
        if (!wide) {
          subtractMinima(1, token, QuantizedRow.SUMS_16 + 32);
        }
      }
    }
    for (int token = 0; token < tokens && wide; token++) {
      a.v(VMULPS, FACTOR, BlockReader.SCALES[0], activation(token, QuantizedRow.SCALES));
      a.v(VMOVUPS, frame(token, FACTORS_AT), FACTOR);
    }
    for (int sub = 0; sub < 8; sub++) {
      values(sub);
      if (!wide) {
        int first = sub % 4 * 2;
        int second = first + 1;
        Vector scale = BlockReader.T0;
        a.v(VMOVUPS, scale, k.ints(first, first, first, first, second, second, second, second));
        a.v(VPERMPS, scale, scale, BlockReader.SCALES[sub / 4]);
      }
      for (int token = 0; token < tokens; token++) {
        dot(sub, token);
        if (wide) {
          a.v(VBROADCASTSS, FACTOR, frame(token, FACTORS_AT + 4 * sub));
          addProduct(sub, token);
        } else {
          addScaled(sub, token, BlockReader.T0);
        }
      }
    }
  }

  /**
   * The block's weights, with and without sign if there are no products of unsigned with signed.
   */
  private void values(int sub) {
    format.values(reader, sub, BlockReader.VALUES);
    if (!vnni && !format.hasMinima()) {
      a.v(VPXOR, BlockReader.VALUES, BlockReader.VALUES, k.bytes32(0x80));
      a.v(VPABSB, MAGNITUDES, BlockReader.VALUES);
    }
  }

  /** PRODUCT = float of the 8 dot products of 4 values each. */
  private void dot(int block, int token) {
    Address x = activation(token, QuantizedRow.VALUES + 32 * block);
    if (vnni) {
      if (format.hasMinima()) {
        k.zero(PRODUCT);
      } else {
        a.v(VMOVUPS, PRODUCT, activation(token, QuantizedRow.OFFSETS + 32 * block));
      }
      a.v(VPDPBUSD_VEX, PRODUCT, BlockReader.VALUES, x);
    } else if (format.hasMinima()) {
      // At most 31 * 127 * 2: the 16-bit sums cannot saturate.
      a.v(VPMADDUBSW, PRODUCT, BlockReader.VALUES, x);
      a.v(VPMADDWD, PRODUCT, PRODUCT, ONES_16);
    } else {
      // At most 128 * 127 * 2 with the weight's sign given to the activation.
      a.v(VMOVUPS, PRODUCT, x);
      a.v(VPSIGNB, PRODUCT, PRODUCT, BlockReader.VALUES);
      a.v(VPMADDUBSW, PRODUCT, MAGNITUDES, PRODUCT);
      a.v(VPMADDWD, PRODUCT, PRODUCT, ONES_16);
    }
    a.v(VCVTDQ2PS, PRODUCT, PRODUCT);
  }

  private void addScaled(int block, int token, Vector scale) {
    a.v(VBROADCASTSS, FACTOR, activation(token, QuantizedRow.SCALES + 4 * block));
    a.v(VMULPS, FACTOR, FACTOR, scale);
    addProduct(block, token);
  }

  private void addProduct(int block, int token) {
    if (inRegisters()) {
      a.v(VFMADD231PS, SUMS[block % 2], PRODUCT, FACTOR);
    } else {
      Address sum = frame(token, SUMS_AT + 32 * (block % 2));
      a.v(VFMADD213PS, PRODUCT, FACTOR, sum);
      a.v(VMOVUPS, sum, PRODUCT);
    }
  }

  private void addSmallMinimum(int token, Vector minimum, int place) {
    Vector sum = inRegisters() ? MINIMUM_SUM.x() : PRODUCT.x();
    if (!inRegisters()) {
      a.v(VMOVSS, sum, frame(token, MINIMUM_SUM_AT));
    }
    a.v(VFMADD231SS, sum, minimum.x(), activation(token, place));
    if (!inRegisters()) {
      a.v(VMOVSS, frame(token, MINIMUM_SUM_AT), sum);
    }
  }

  private void subtractMinima(int index, int token, int place) {
    Address home = frame(token, SUMS_AT + 32 * index);
    Vector sum = inRegisters() ? SUMS[index] : BlockReader.T0;
    if (!inRegisters()) {
      a.v(VMOVUPS, sum, home);
    }
    a.v(VFNMADD231PS, sum, BlockReader.MINIMA[index], activation(token, place));
    if (!inRegisters()) {
      a.v(VMOVUPS, home, sum);
    }
  }

  private void store() {
    a.mov(PLACE, OUTPUT);
    for (int token = 0; token < tokens; token++) {
      if (!inRegisters()) {
        a.v(VMOVUPS, SUMS[0], frame(token, SUMS_AT));
        a.v(VMOVUPS, SUMS[1], frame(token, SUMS_AT + 32));
        a.v(VMOVSS, MINIMUM_SUM.x(), frame(token, MINIMUM_SUM_AT));
      }
      Vector total = SUMS[0];
      a.v(VADDPS, total, total, SUMS[1]);
      k.sumLanes(total, SUMS[1]);
      if (format.unit() != 1) {
        a.v(VMULSS, total.x(), total.x(), k.scalar(format.unit()));
      }
      a.v(VADDSS, total.x(), total.x(), MINIMUM_SUM.x());
      a.v(VMOVSS, at(PLACE), total.x());
      a.add(PLACE, OUTPUT_STRIDE);
    }
    a.add(OUTPUT, 4);
  }
}
