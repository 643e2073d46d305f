package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;

/** Brings 16 rows of quantised weights into the layout of {@link PanelFormat}. AVX-512. */
final class PanelCode {
  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr PANEL = Gpr.RSI;
  private static final Gpr ROWS = Gpr.RDX;
  private static final Gpr ROW = Gpr.R9;
  private static final Gpr LEFT = Gpr.R10;
  private static final Gpr BUFFER = Gpr.R8;
  private static final Gpr SCALE_BUFFER = Gpr.RCX;
  private static final Gpr COUNTER = Gpr.RAX;
  private static final Gpr RECORDS = Gpr.R11;

  /** Up to 256 values of each row as bytes; the stride keeps rows in different cache sets. */
  private static final int BUFFER_STRIDE = 256 + 32;

  private static final int SCALE_STRIDE = 128;
  private static final int SCALES_AT = PanelFormat.ROWS * BUFFER_STRIDE;
  private static final int MINIMA = 64;

  private final BlockFormat format;
  private final PanelFormat panel;
  private final int values;
  private final KernelBuilder k;
  private final Assembler a;
  private final BlockReader reader;

  private PanelCode(BlockFormat format, int values) {
    this.format = format;
    this.values = values;
    panel = PanelFormat.of(format);
    k = new KernelBuilder(SCALES_AT + PanelFormat.ROWS * SCALE_STRIDE);
    a = k.a;
    reader = new BlockReader(k, ROW);
  }

  /**
   * Arguments: address of the first weight row, of the panel, number of rows that exist (1 to 16;
   * the last is repeated in place of those that do not).
   *
   * @param values in a row
   */
  static byte[] assemble(BlockFormat format, int values) {
    return new PanelCode(format, values).assemble();
  }

  private byte[] assemble() {
    format.constants(reader);
    int blocks = values / 32;
    k.repeat(blocks / 8, RECORDS, () -> record(8));
    if (blocks % 8 > 0) {
      record(blocks % 8);
    }
    return k.finish();
  }

  private void record(int blocks) {
    int rowBytes = values / format.blockValues() * format.blockBytes();
    a.mov(ROW, WEIGHTS);
    a.mov(LEFT, ROWS);
    a.mov(BUFFER, Gpr.RSP);
    a.lea(SCALE_BUFFER, at(Gpr.RSP, SCALES_AT));
    a.mov(COUNTER, PanelFormat.ROWS);
    int recordBytes = blocks * 32 / format.blockValues() * format.blockBytes();
    k.loop(
        COUNTER,
        () -> {
          // The next panel's share: hardware does not see through 16 rows read in turn.
          for (int line = 0; line < recordBytes; line += 64) {
            a.prefetcht1(at(ROW, PanelFormat.ROWS * rowBytes + line));
          }
          unpackRow(blocks);
          a.add(BUFFER, BUFFER_STRIDE);
          a.add(SCALE_BUFFER, SCALE_STRIDE);
          Label last = new Label();
          a.sub(LEFT, 1);
          a.j(Condition.NOT_GREATER, last);
          a.add(ROW, rowBytes);
          a.bind(last);
        });
    scales(0, PanelFormat.PANEL_SCALES, format.unit(), blocks);
    if (format.hasMinima()) {
      // Blocks of 32 add their minimum, blocks of 256 subtract it.
      scales(MINIMA, panel.panelMinima(), format.blockValues() == 32 ? 1 : -1, blocks);
    }
    a.mov(BUFFER, Gpr.RSP);
    a.mov(COUNTER, blocks);
    k.loop(
        COUNTER,
        () -> {
          Vector[] fours = Transpose.rows16(a, BUFFER, 0, BUFFER_STRIDE);
          for (int i = 0; i < 8; i++) {
            a.v(VMOVUPS, at(PANEL, 64 * i), fours[i]);
          }
          a.add(BUFFER, 32);
          a.add(PANEL, panel.panelBlockBytes());
        });
    a.add(WEIGHTS, recordBytes);
  }

  private void unpackRow(int blocks) {
    if (format.blockValues() == 32) {
      for (int block = 0; block < blocks; block++) {
        reader.moveTo(block * format.blockBytes());
        reader.half(0, BlockReader.SCALES[0]);
        a.v(VMOVSS, at(SCALE_BUFFER, 4 * block), BlockReader.SCALES[0].x());
        if (format.hasMinima()) {
          reader.half(2, BlockReader.MINIMA[0]);
          a.v(VMOVSS, at(SCALE_BUFFER, MINIMA + 4 * block), BlockReader.MINIMA[0].x());
        }
        format.values(reader, 0, BlockReader.VALUES);
        a.v(VMOVUPS, at(BUFFER, 32 * block), BlockReader.VALUES);
      }
      return;
    }
    format.scales(reader);
    for (int i = 0; i < panel.scales(); i++) {
      a.v(VMOVUPS, at(SCALE_BUFFER, 32 * i), BlockReader.SCALES[i]);
      if (format.hasMinima()) {
        a.v(VMOVUPS, at(SCALE_BUFFER, MINIMA + 32 * i), BlockReader.MINIMA[i]);
      }
    }
    for (int sub = 0; sub < 8; sub++) {
      format.values(reader, sub, BlockReader.VALUES);
      a.v(VMOVUPS, at(BUFFER, 32 * sub), BlockReader.VALUES);
    }
  }

  /** Turns rows of up to 16 scales into registers of the 16 rows' scales of one sub-block. */
  private void scales(int from, int to, float factor, int blocks) {
    int eights = panel.scales();
    for (int eight = 0; eight < eights; eight++) {
      Vector[] scales = Transpose.rows16(a, Gpr.RSP, SCALES_AT + from + 32 * eight, SCALE_STRIDE);
      for (int i = 0; i < 8; i++) {
        int index = 8 * eight + i;
        int block = index / eights;
        if (block < blocks) {
          if (factor != 1) {
            a.v(VMULPS, scales[i], scales[i], k.scalar(factor).toAll());
          }
          int place = block * panel.panelBlockBytes() + to + 64 * (index % eights);
          a.v(VMOVUPS, at(PANEL, place), scales[i]);
        }
      }
    }
  }
}
