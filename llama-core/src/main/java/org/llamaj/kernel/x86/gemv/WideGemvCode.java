package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFNMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMPS;

import java.util.stream.IntStream;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;
import org.llamaj.kernel.x86.format.BlockFormat;
import org.llamaj.kernel.x86.format.BlockReader;

/**
 * Products of quantised weight rows with a few rows of quantised activations in AVX-512 VNNI. The
 * weights are taken once, 256 of a row at a time; they are unpacked and brought into the lanes of
 * {@link LaneRecord} once for all rows of activations. A result does not depend on how many rows
 * there are.
 *
 * <p>Two weight rows at a time, one from the first half of the rows and one from the second, so
 * that each half is read in the order of memory: activations are then loaded half as often.
 */
public final class WideGemvCode {
  /** Most activation rows whose sums fit in the registers. */
  public static final int MOST_TOKENS = 8;

  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr ACTIVATIONS = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr OUTPUT_STRIDE = Gpr.R8;
  private static final Gpr RECORD = Gpr.R9;

  /** The weights and the result of the row from the second half. */
  private static final Gpr SECOND = Gpr.R10;

  private static final Gpr SECOND_OUTPUT = Gpr.RBX;

  private static final Gpr PAIRS = Gpr.R12;
  private static final Gpr PLACE = Gpr.R11;
  private static final Gpr COUNTER = Gpr.RAX;

  /** Registers that reading weights leaves alone, but for the first, which it returns them in. */
  private static final Vector[] QUANTS = zmm(0, 5, 6, 7);

  /** And those that it uses. */
  private static final Vector[] TEMPORARIES = zmm(1, 2, 3, 4);

  /** Where the first row waits for the second one, with up to so many activation rows. */
  private static final Vector[] WAITING = zmm(16, 17, 18, 19);

  private static final int MOST_TOKENS_WAITING = 4;

  /** Products, activations, their scale and a factor: beside two rows that are in registers. */
  private static final Vector[] WORK = zmm(1, 2, 3, 4, 28, 29);

  /** Else, with the first row in the frame until then. Constants are loaded for each record. */
  private static final Vector[] WORK_OF_MANY = zmm(8, 9, 10, 11, 24, 25);

  private static final int[] FIRST_SUMS = {12, 13, 14, 15, 16, 17, 18, 19};
  private static final int[] SECOND_SUMS = {20, 21, 22, 23, 28, 29, 30, 31};

  /** In the frame: what the lanes' scales of each row are; the first row's weights. */
  private static final int SCALES_AT = 0;

  private static final int QUANTS_AT = 2 * 64;
  private static final int FRAME_BYTES = QUANTS_AT + 4 * 64;

  private final BlockFormat format;
  private final int values;
  private final int tokens;
  private final int prefetch;
  private final KernelBuilder k = new KernelBuilder(FRAME_BYTES);
  private final Assembler a = k.a;
  private final BlockReader[] readers = {new BlockReader(k, WEIGHTS), new BlockReader(k, SECOND)};

  private WideGemvCode(BlockFormat format, int values, int tokens, int prefetch) {
    this.format = format;
    this.values = values;
    this.tokens = tokens;
    this.prefetch = prefetch;
  }

  /**
   * Arguments: address of the weight rows, of the first {@link LaneRecord}, of the first result,
   * number of weight rows (at least 1), bytes between the results of neighbouring activation rows.
   *
   * @param format of the weights
   * @param values in a row
   * @param tokens activation rows, 1 to {@link #MOST_TOKENS}
   * @param prefetch how many bytes ahead to ask for weights; 0 to leave that to the hardware
   */
  public static byte[] assemble(BlockFormat format, int values, int tokens, int prefetch) {
    if (values % format.blockValues() != 0) {
      throw new IllegalArgumentException(format + " x " + values);
    }
    return new WideGemvCode(format, values, tokens, prefetch).assemble();
  }

  private static Vector[] zmm(int... numbers) {
    return IntStream.of(numbers).mapToObj(Vector::zmm).toArray(Vector[]::new);
  }

  private byte[] assemble() {
    a.mov(COUNTER, 0xFF00);
    a.kmovq(BlockReader.UPPER_HALF, COUNTER);
    constants();
    a.mov(PAIRS, ROWS);
    a.shr(PAIRS, 1);
    a.imul(SECOND, PAIRS, values / format.blockValues() * format.blockBytes());
    a.add(SECOND, WEIGHTS);
    a.lea(SECOND_OUTPUT, at(OUTPUT, PAIRS, 4, 0));
    Label single = new Label();
    Label end = new Label();
    a.cmp(PAIRS, 0);
    a.j(Condition.EQUAL, single);
    k.loop(PAIRS, () -> rows(2));
    a.mov(WEIGHTS, SECOND);
    a.mov(OUTPUT, SECOND_OUTPUT);
    if (!waits()) {
      constants();
    }
    a.bind(single);
    a.and(ROWS, 1);
    a.j(Condition.EQUAL, end);
    rows(1);
    a.bind(end);
    return k.finish();
  }

  /** Whether there are registers for the first row's weights and for the constants. */
  private boolean waits() {
    return tokens <= MOST_TOKENS_WAITING;
  }

  private void rows(int count) {
    for (int row = 0; row < count; row++) {
      for (int token = 0; token < tokens; token++) {
        k.zero(sum(row, token));
      }
    }
    a.mov(RECORD, ACTIVATIONS);
    int whole = LaneRecord.RECORD_VALUES;
    k.repeat(values / whole, COUNTER, () -> record(count, whole));
    if (values % whole > 0) {
      record(count, values % whole);
    }
    for (int row = 0; row < count; row++) {
      store(row, row == 0 ? OUTPUT : SECOND_OUTPUT);
    }
  }

  private void constants() {
    format.constants(readers[0]);
    format.wideConstants(readers[0]);
  }

  /** Up to 256 values of one or two weight rows. */
  private void record(int rows, int count) {
    int bytes = count / format.blockValues() * format.blockBytes();
    for (int row = 0; row < rows; row++) {
      Gpr weights = row == 0 ? WEIGHTS : SECOND;
      for (int line = 0; prefetch > 0 && line < bytes; line += 64) {
        a.prefetcht0(at(weights, prefetch + line));
      }
    }
    if (rows == 2 && !waits()) {
      constants();
    }
    for (int row = 0; row < rows; row++) {
      readers[row].moveTo(0);
      scales(row, count);
      quants(row, count, rows == 2 && row == 0 && waits() ? WAITING : QUANTS);
      if (row + 1 < rows && !waits()) {
        for (int i = 0; i < QUANTS.length; i++) {
          a.v(VMOVUPS, at(Gpr.RSP, QUANTS_AT + 64 * i), QUANTS[i]);
        }
      }
      a.add(row == 0 ? WEIGHTS : SECOND, bytes);
    }
    if (rows == 1) {
      multiply(WORK, QUANTS);
    } else if (waits()) {
      multiply(WORK, WAITING, QUANTS);
    } else {
      for (int i = 0; i < QUANTS.length; i++) {
        a.v(VMOVUPS, TEMPORARIES[i], QUANTS[i]);
        a.v(VMOVUPS, QUANTS[i], at(Gpr.RSP, QUANTS_AT + 64 * i));
      }
      multiply(WORK_OF_MANY, QUANTS, TEMPORARIES);
    }
    a.add(RECORD, tokens * LaneRecord.RECORD_BYTES);
  }

  /** The scales of a row's lanes into the frame; the minima's part is added at once. */
  private void scales(int row, int count) {
    format.laneScales(readers[row], count);
    Vector scales = BlockReader.SCALES[0].z();
    boolean each16 = format.scaleValues() == 16;
    if (format.hasMinima()) {
      Vector minima = each16 ? BlockReader.MINIMA[0].z() : scales;
      int sums = each16 ? LaneRecord.SUMS_16 : LaneRecord.SUMS_32;
      for (int token = 0; token < tokens; token++) {
        // Blocks of 32 add their minimum, blocks of 256 subtract it.
        a.v(
            format.blockValues() == 32 ? VFMADD231PS : VFNMADD231PS,
            sum(row, token),
            minima,
            at(RECORD, token * LaneRecord.RECORD_BYTES + sums));
      }
    }
    int[] order = new int[16];
    int[] factors = new int[16];
    for (int lane = 0; lane < 16; lane++) {
      int block = LaneRecord.half(lane) / 2;
      order[lane] = each16 ? LaneRecord.half(lane) : block;
      factors[lane] = Float.floatToRawIntBits(block % 2 == 0 ? 1 : 1f / format.upperFactor());
    }
    Vector lanes = BlockReader.T0.z();
    a.v(VMOVUPS, lanes, k.ints(order));
    a.v(VPERMPS, lanes, lanes, scales);
    if (format.upperFactor() != 1) {
      a.v(VMULPS, lanes, lanes, k.ints(factors));
    }
    a.v(VMOVUPS, at(Gpr.RSP, SCALES_AT + 64 * row), lanes);
  }

  /** A row's values as bytes in the lanes of a record. */
  private void quants(int row, int count, Vector[] to) {
    for (int pair = 0; pair < 4; pair++) {
      if (64 * (pair + 1) <= count) {
        format.wideValues(readers[row], pair, QUANTS[pair]);
      } else if (64 * pair < count) {
        format.values(readers[row], 2 * pair, QUANTS[pair].y());
      } else {
        k.zero(QUANTS[pair]);
      }
    }
    Transpose.quarters(a, QUANTS, TEMPORARIES, to);
  }

  /** One or two weight rows times all activation rows. */
  private void multiply(Vector[] work, Vector[]... quants) {
    for (int token = 0; token < tokens; token++) {
      int record = token * LaneRecord.RECORD_BYTES;
      for (int row = 0; row < quants.length; row++) {
        begin(work[row], record);
      }
      for (int i = 0; i < QUANTS.length; i++) {
        Vector x = work[2 + i % 2];
        a.v(VMOVUPS, x, at(RECORD, record + LaneRecord.VALUES + 64 * i));
        for (int row = 0; row < quants.length; row++) {
          a.v(VPDPBUSD, work[row], quants[row][i], x);
        }
      }
      Vector scale = work[4];
      Vector factor = work[5];
      a.v(VMOVUPS, scale, at(RECORD, record + LaneRecord.SCALES));
      for (int row = 0; row < quants.length; row++) {
        a.v(VCVTDQ2PS, work[row], work[row]);
        a.v(VMULPS, factor, scale, at(Gpr.RSP, SCALES_AT + 64 * row));
        a.v(VFMADD231PS, sum(row, token), work[row], factor);
      }
    }
  }

  private void begin(Vector product, int record) {
    if (format.hasMinima()) {
      k.zero(product);
    } else {
      a.v(VMOVUPS, product, at(RECORD, record + LaneRecord.OFFSETS));
    }
  }

  private void store(int row, Gpr output) {
    a.mov(PLACE, output);
    for (int token = 0; token < tokens; token++) {
      Vector total = QUANTS[0];
      a.v(VMOVUPS, total, sum(row, token));
      k.sumLanes(total, TEMPORARIES[0]);
      if (format.unit() != 1) {
        a.v(VMULSS, total.x(), total.x(), k.scalar(format.unit()));
      }
      a.v(VMOVSS, at(PLACE), total.x());
      a.add(PLACE, OUTPUT_STRIDE);
    }
    a.add(output, 4);
  }

  private static Vector sum(int row, int token) {
    return Vector.zmm((row == 0 ? FIRST_SUMS : SECOND_SUMS)[token]);
  }
}
