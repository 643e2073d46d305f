package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;
import org.llamaj.kernel.x86.format.RowReader;
import org.llamaj.tensor.ElementType;

/** Turns 16 rows of weights of any type into a panel of floats, transposed: [values][16]. */
final class FloatPanelCode {
  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr PANEL = Gpr.RSI;
  private static final Gpr ROWS = Gpr.RDX;
  private static final Gpr BUFFER = Gpr.R8;
  private static final Gpr ROW = Gpr.R9;
  private static final Gpr LEFT = Gpr.R10;
  private static final Gpr RECORDS = Gpr.R11;
  private static final Gpr COUNTER = Gpr.RAX;

  /** A record of floats; a little more, to keep rows in different cache sets. */
  private static final int BUFFER_STRIDE = 4 * RowReader.RECORD_VALUES + 64;

  private final ElementType type;
  private final int values;
  private final boolean avx512;
  private final KernelBuilder k;
  private final Assembler a;
  private final RowReader reader;

  private FloatPanelCode(ElementType type, int values, boolean avx512) {
    this.type = type;
    this.values = values;
    this.avx512 = avx512;
    k = new KernelBuilder(RowReader.FRAME_BYTES + PanelFormat.ROWS * BUFFER_STRIDE);
    a = k.a;
    reader = new RowReader(k, type, ROW, BUFFER);
  }

  /**
   * Arguments: address of the first weight row, of the panel, number of rows that exist (1 to 16;
   * the last is repeated in place of those that do not).
   *
   * @param values in a row, a multiple of 16 and of the type's block size
   */
  static byte[] assemble(ElementType type, int values, boolean avx512) {
    return new FloatPanelCode(type, values, avx512).assemble();
  }

  private byte[] assemble() {
    int record = RowReader.RECORD_VALUES;
    k.repeat(values / record, RECORDS, () -> record(record));
    if (values % record > 0) {
      record(values % record);
    }
    return k.finish();
  }

  private void record(int count) {
    int rowBytes = Math.toIntExact(type.rowBytes(values));
    reader.constants();
    a.mov(ROW, WEIGHTS);
    a.mov(LEFT, ROWS);
    a.lea(BUFFER, at(Gpr.RSP, RowReader.FRAME_BYTES));
    a.mov(COUNTER, PanelFormat.ROWS);
    k.loop(
        COUNTER,
        () -> {
          // The next panel's share: hardware does not see through 16 rows read in turn.
          for (int line = 0; line < type.rowBytes(count); line += 64) {
            a.prefetcht1(at(ROW, PanelFormat.ROWS * rowBytes + line));
          }
          reader.toFloats(count);
          a.add(BUFFER, BUFFER_STRIDE);
          Label last = new Label();
          a.sub(LEFT, 1);
          a.j(Condition.NOT_GREATER, last);
          a.add(ROW, rowBytes);
          a.bind(last);
        });
    a.lea(BUFFER, at(Gpr.RSP, RowReader.FRAME_BYTES));
    a.mov(COUNTER, count / 8);
    k.loop(
        COUNTER,
        () -> {
          if (avx512) {
            store(Transpose.rows16(a, BUFFER, 0, BUFFER_STRIDE), 0);
          } else {
            store(Transpose.rows8(a, BUFFER, 0, BUFFER_STRIDE), 0);
            store(Transpose.rows8(a, BUFFER, 8 * BUFFER_STRIDE, BUFFER_STRIDE), 32);
          }
          a.add(BUFFER, 32);
          a.add(PANEL, 8 * 4 * PanelFormat.ROWS);
        });
    a.add(WEIGHTS, (int) type.rowBytes(count));
  }

  private void store(Vector[] columns, int place) {
    for (int i = 0; i < columns.length; i++) {
      a.v(VMOVUPS, at(PANEL, 4 * PanelFormat.ROWS * i + place), columns[i]);
    }
  }
}
