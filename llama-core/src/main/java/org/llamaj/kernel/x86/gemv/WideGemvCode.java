package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
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
 * weights are taken once, in the order of memory, 256 of a row at a time; they are unpacked and
 * brought into the lanes of {@link LaneRecord} once for all rows of activations. A result does not
 * depend on how many rows there are.
 *
 * <p>Two weight rows at a time, as then activations are loaded half as often: those of many rows do
 * not stay in the first-level cache.
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

  /** The weights of the second row. */
  private static final Gpr SECOND = Gpr.R10;

  private static final Gpr PLACE = Gpr.R11;
  private static final Gpr COUNTER = Gpr.RAX;

  /** Registers that reading weights leaves alone, but for the first, which it returns them in. */
  private static final Vector[] QUANTS = zmm(0, 5, 6, 7);

  /** And those that it uses. */
  private static final Vector[] TEMPORARIES = zmm(1, 2, 3, 4);

  /** Of a second row. Its readers' constants are loaded anew for each record. */
  private static final Vector[] SECOND_QUANTS = zmm(1, 2, 3, 4);

  private static final Vector[] SECOND_TEMPORARIES = zmm(8, 9, 10, 11, 24, 25);

  private static final int[] FIRST_SUMS = {12, 13, 14, 15, 16, 17, 18, 19};
  private static final int[] SECOND_SUMS = {20, 21, 22, 23, 28, 29, 30, 31};

  /** In the frame, for each row: what its lanes' scales and minima are; the first row's weights. */
  private static final int SCALES_AT = 0;

  private static final int MINIMA_AT = 64;
  private static final int ROW_BYTES = 128;
  private static final int QUANTS_AT = 2 * ROW_BYTES;
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
    Label pairs = new Label();
    Label single = new Label();
    Label end = new Label();
    a.bind(pairs);
    a.cmp(ROWS, 2);
    a.j(Condition.LESS, single);
    a.lea(SECOND, at(WEIGHTS, values / format.blockValues() * format.blockBytes()));
    rows(2);
    a.mov(WEIGHTS, SECOND);
    a.sub(ROWS, 2);
    a.jmp(pairs);
    a.bind(single);
    a.cmp(ROWS, 1);
    a.j(Condition.LESS, end);
    rows(1);
    a.bind(end);
    return k.finish();
  }

  private void rows(int count) {
    for (int row = 0; row < count; row++) {
      for (int token = 0; token < tokens; token++) {
        k.zero(sum(row, token));
      }
    }
    if (count == 1) {
      constants();
    }
    a.mov(RECORD, ACTIVATIONS);
    int whole = LaneRecord.RECORD_VALUES;
    k.repeat(values / whole, COUNTER, () -> record(count, whole));
    if (values % whole > 0) {
      record(count, values % whole);
    }
    for (int row = 0; row < count; row++) {
      store(row);
    }
    a.add(OUTPUT, 4 * count);
  }

  private void constants() {
    format.constants(readers[0]);
    format.wideConstants(readers[0]);
  }

  /** Up to 256 values of a few weight rows. */
  private void record(int rows, int count) {
    int bytes = count / format.blockValues() * format.blockBytes();
    for (int row = 0; row < rows; row++) {
      Gpr weights = row == 0 ? WEIGHTS : SECOND;
      for (int line = 0; prefetch > 0 && line < bytes; line += 64) {
        a.prefetcht0(at(weights, prefetch + line));
      }
    }
    if (rows == 2) {
      constants();
    }
    for (int row = 0; row < rows; row++) {
      readers[row].moveTo(0);
      scales(row, count);
      quants(row, count);
      if (row + 1 < rows) {
        for (int i = 0; i < QUANTS.length; i++) {
          a.v(VMOVUPS, at(Gpr.RSP, QUANTS_AT + 64 * i), QUANTS[i]);
        }
      }
      a.add(row == 0 ? WEIGHTS : SECOND, bytes);
    }
    if (rows == 1) {
      multiplyOne();
    } else {
      multiplyTwo();
    }
    a.add(RECORD, tokens * LaneRecord.RECORD_BYTES);
  }

  /** The scales, and minima, of a row's lanes into the frame. */
  private void scales(int row, int count) {
    format.recordScales(readers[row], count);
    lanes(BlockReader.SCALES, ROW_BYTES * row + SCALES_AT);
    if (format.hasMinima()) {
      lanes(BlockReader.MINIMA, ROW_BYTES * row + MINIMA_AT);
    }
  }

  /** Numbers for each 32 or 16 values to the lanes that they are for. */
  private void lanes(Vector[] numbers, int place) {
    boolean each16 = format.scaleValues() == 16;
    Vector all = numbers[0].z();
    if (each16) {
      a.vi(VINSERTI64X4, 1, all, all, numbers[1]);
    }
    Vector order = BlockReader.T0.z();
    int[] indices =
        IntStream.range(0, 16)
            .map(lane -> each16 ? LaneRecord.half(lane) : LaneRecord.half(lane) / 2)
            .toArray();
    a.v(VMOVUPS, order, k.ints(indices));
    a.v(VPERMPS, order, order, all);
    a.v(VMOVUPS, at(Gpr.RSP, place), order);
  }

  /** A row's values as bytes in the lanes of a record. */
  private void quants(int row, int count) {
    for (int pair = 0; pair < 4; pair++) {
      if (64 * (pair + 1) <= count) {
        format.wideValues(readers[row], pair, QUANTS[pair]);
      } else if (64 * pair < count) {
        format.values(readers[row], 2 * pair, QUANTS[pair].y());
      } else {
        k.zero(QUANTS[pair]);
      }
    }
    Transpose.quarters(a, QUANTS, TEMPORARIES);
  }

  private void multiplyOne() {
    for (int token = 0; token < tokens; token++) {
      int record = token * LaneRecord.RECORD_BYTES;
      Vector product = TEMPORARIES[token % 2];
      Vector factor = TEMPORARIES[2 + token % 2];
      begin(product, record);
      for (int i = 0; i < QUANTS.length; i++) {
        a.v(VPDPBUSD, product, QUANTS[i], at(RECORD, record + LaneRecord.VALUES + 64 * i));
      }
      a.v(VMOVUPS, factor, at(RECORD, record + LaneRecord.SCALES));
      addScaled(0, token, product, factor, factor);
      if (format.hasMinima()) {
        a.v(VMOVUPS, factor, at(RECORD, record + LaneRecord.SUMS));
        addMinima(0, token, factor);
      }
    }
  }

  private void multiplyTwo() {
    for (int i = 0; i < QUANTS.length; i++) {
      a.v(VMOVUPS, SECOND_QUANTS[i], QUANTS[i]);
      a.v(VMOVUPS, QUANTS[i], at(Gpr.RSP, QUANTS_AT + 64 * i));
    }
    Vector[] t = SECOND_TEMPORARIES;
    for (int token = 0; token < tokens; token++) {
      int record = token * LaneRecord.RECORD_BYTES;
      begin(t[0], record);
      begin(t[1], record);
      for (int i = 0; i < QUANTS.length; i++) {
        Vector x = t[2 + i % 2];
        a.v(VMOVUPS, x, at(RECORD, record + LaneRecord.VALUES + 64 * i));
        a.v(VPDPBUSD, t[0], QUANTS[i], x);
        a.v(VPDPBUSD, t[1], SECOND_QUANTS[i], x);
      }
      a.v(VMOVUPS, t[4], at(RECORD, record + LaneRecord.SCALES));
      addScaled(0, token, t[0], t[4], t[5]);
      addScaled(1, token, t[1], t[4], t[5]);
      if (format.hasMinima()) {
        a.v(VMOVUPS, t[4], at(RECORD, record + LaneRecord.SUMS));
        addMinima(0, token, t[4]);
        addMinima(1, token, t[4]);
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

  private void addScaled(int row, int token, Vector product, Vector scale, Vector factor) {
    a.v(VCVTDQ2PS, product, product);
    a.v(VMULPS, factor, scale, at(Gpr.RSP, ROW_BYTES * row + SCALES_AT));
    a.v(VFMADD231PS, sum(row, token), product, factor);
  }

  /** Blocks of 32 add their minimum, blocks of 256 subtract it. */
  private void addMinima(int row, int token, Vector sums) {
    a.v(
        format.blockValues() == 32 ? VFMADD231PS : VFNMADD231PS,
        sum(row, token),
        sums,
        at(Gpr.RSP, ROW_BYTES * row + MINIMA_AT));
  }

  private void store(int row) {
    a.lea(PLACE, at(OUTPUT, 4 * row));
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
  }

  private static Vector sum(int row, int token) {
    return Vector.zmm((row == 0 ? FIRST_SUMS : SECOND_SUMS)[token]);
  }
}
