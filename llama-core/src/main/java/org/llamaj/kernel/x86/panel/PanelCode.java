package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;
import org.llamaj.kernel.x86.format.BlockFormat;
import org.llamaj.kernel.x86.format.BlockReader;
import org.llamaj.kernel.x86.format.PanelRows;

/**
 * Emits code that brings up to 256 values of 16 rows of quantised weights into the layout of {@link
 * PanelFormat}. AVX-512.
 */
final class PanelCode {
  /** Points at the first row's values; moved on to the 17th row's. */
  static final Gpr ROW = Gpr.R9;

  /** Where the panel goes; moved on past it. */
  static final Gpr PANEL = Gpr.RDI;

  private static final Gpr BUFFER = Gpr.RSI;
  private static final Gpr COUNTER = Gpr.RAX;

  // In the frame, for each row: its values as bytes, scales and minima. The stride is no multiple
  // of
  // a cache line, to keep rows in different sets.
  private static final int SCALES = 256;
  private static final int MINIMA = 320;
  private static final int STRIDE = 384 + 32;

  /** How far {@link #record} moves {@link GemmCode#AHEAD} on. */
  static final int BYTES_AHEAD = PanelFormat.ROWS * 64;

  /** What it needs at the beginning of the frame. */
  static final int FRAME_BYTES = PanelFormat.ROWS * STRIDE;

  private final BlockFormat format;
  private final PanelFormat panel;
  private final int rowBytes;
  private final KernelBuilder k;
  private final Assembler a;
  private final BlockReader reader;
  private final PanelRows rows;

  /**
   * @param rowBytes bytes between rows
   */
  PanelCode(BlockFormat format, int rowBytes, KernelBuilder k) {
    this.format = format;
    this.rowBytes = rowBytes;
    this.k = k;
    panel = PanelFormat.of(format);
    a = k.a;
    reader = new BlockReader(k, ROW);
    rows = new PanelRows(k, ROW, rowBytes, PANEL, panel.panelBlockBytes());
  }

  /** Emits what is needed once in a kernel. */
  void begin() {
    rows.loadMasks(COUNTER);
  }

  /** Emits the code for so many blocks of 32. */
  void record(int blocks) {
    format.constants(reader);
    format.wideConstants(reader);
    int direct = format.directBlocks();
    int recordBytes = blocks * 32 / format.blockValues() * format.blockBytes();
    a.mov(BUFFER, Gpr.RSP);
    a.mov(COUNTER, PanelFormat.ROWS);
    k.loop(
        COUNTER,
        () -> {
          a.prefetcht1(at(GemmCode.AHEAD));
          a.add(GemmCode.AHEAD, 64);
          scales(blocks);
          if (direct == 0) {
            values(blocks);
          }
          a.add(BUFFER, STRIDE);
          a.add(ROW, rowBytes);
        });
    turnScales(SCALES, PanelFormat.PANEL_SCALES, format.unit(), blocks);
    if (format.hasMinima()) {
      // Blocks of 32 add their minimum, blocks of 256 subtract it.
      turnScales(MINIMA, panel.panelMinima(), format.blockValues() == 32 ? 1 : -1, blocks);
    }
    if (direct == 0) {
      turnValues(blocks);
    } else {
      a.sub(ROW, PanelFormat.ROWS * rowBytes);
      format.directConstants(rows);
      k.repeat(
          blocks / direct,
          COUNTER,
          () -> {
            format.directValues(rows);
            a.add(ROW, format.blockBytes());
            a.add(PANEL, direct * panel.panelBlockBytes());
          });
      a.add(ROW, PanelFormat.ROWS * rowBytes - recordBytes);
    }
  }

  /** A row's scales, and minima, into the frame. */
  private void scales(int blocks) {
    format.recordScales(reader, 32 * blocks);
    for (int i = 0; i < panel.scales(); i++) {
      a.v(VMOVUPS, at(BUFFER, SCALES + 32 * i), BlockReader.SCALES[i]);
      if (format.hasMinima()) {
        a.v(VMOVUPS, at(BUFFER, MINIMA + 32 * i), BlockReader.MINIMA[i]);
      }
    }
  }

  /** Turns rows of up to 16 scales into registers of the 16 rows' scales of one block. */
  private void turnScales(int from, int to, float factor, int blocks) {
    int eights = panel.scales();
    for (int eight = 0; eight < eights; eight++) {
      Vector[] scales = Transpose.rows16(a, Gpr.RSP, from + 32 * eight, STRIDE);
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

  /** A row's values into the frame. */
  private void values(int blocks) {
    for (int block = 0; block < blocks; block++) {
      format.values(reader, block, BlockReader.VALUES);
      a.v(VMOVUPS, at(BUFFER, 32 * block), BlockReader.VALUES);
    }
  }

  /** Turns rows of values into registers with 4 values of each row. */
  private void turnValues(int blocks) {
    a.mov(BUFFER, Gpr.RSP);
    a.mov(COUNTER, blocks);
    k.loop(
        COUNTER,
        () -> {
          Vector[] fours = Transpose.rows16(a, BUFFER, 0, STRIDE);
          for (int i = 0; i < 8; i++) {
            a.v(VMOVUPS, at(PANEL, 64 * i), fours[i]);
          }
          a.add(BUFFER, 32);
          a.add(PANEL, panel.panelBlockBytes());
        });
  }
}
