package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPDPBUSD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPXORD;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * The product of some blocks of a panel of 16 weight rows and of a tile of activation rows ({@link
 * PanelFormat}) with AVX-512 VNNI: one register holds 4 values of each weight row and meets 4
 * values of an activation row that are given to all lanes, so the 16 sums of an activation row stay
 * in their lanes. A subroutine of {@link SweepCode}.
 */
final class GemmCode {
  /** Most activation rows whose integer and float sums fit in the registers. */
  static final int MOST_TOKENS = 12;

  // Arguments. All are moved on, past what was read; no other general register is used.
  static final Gpr PANEL = Gpr.RDI;
  static final Gpr TILE = Gpr.RSI;

  /** A register of float sums for each activation row, which the products are added to. */
  static final Gpr SUMS = Gpr.RDX;

  /** How many blocks of 32, at least 1. */
  static final Gpr BLOCKS = Gpr.RCX;

  /** Weights that will be needed; moved on as far as {@link TileTable#BYTES_AHEAD} says. */
  static final Gpr AHEAD = Gpr.R8;

  private static final Vector SCALE = Vector.zmm(26);
  private static final Vector MINIMUM = Vector.zmm(27);

  private final PanelFormat format;
  private final int tokens;
  private final int linesAhead;
  private final int bias;
  private final KernelBuilder k = KernelBuilder.subroutine();
  private final Assembler a = k.a;

  private GemmCode(PanelFormat format, int tokens, int linesAhead) {
    this.format = format;
    this.tokens = tokens;
    this.linesAhead = linesAhead;
    // Displacements around zero have a short form.
    bias = format.tileBlockBytes(tokens) / 8 * 4;
  }

  /**
   * Assembles the subroutine.
   *
   * @param tokens activation rows in the tile, 1 to {@link #MOST_TOKENS}
   * @param linesAhead how many cache lines of weights to ask for with each block; each a little
   *     after the other, so that no more are on their way than the processor keeps account of
   */
  static byte[] assemble(PanelFormat format, int tokens, int linesAhead) {
    return new GemmCode(format, tokens, linesAhead).assemble();
  }

  private byte[] assemble() {
    a.add(TILE, bias);
    for (int token = 0; token < tokens; token++) {
      a.v(VMOVUPS, sum(token), at(SUMS, 64 * token));
    }
    int steps = 8 / format.scales();
    k.loop(
        BLOCKS,
        () -> {
          for (int part = 0; part < format.scales(); part++) {
            for (int token = 0; token < tokens; token++) {
              begin(token, part);
            }
            for (int step = part * steps; step < (part + 1) * steps; step++) {
              Vector weights = Vector.zmm(24 + step % 2);
              a.v(VMOVUPS, weights, at(PANEL, 64 * step));
              for (int token = 0; token < tokens; token++) {
                a.v(VPDPBUSD, product(token), weights, tile(4 * (step * tokens + token)));
              }
              askAhead(step);
            }
            a.v(VMOVUPS, SCALE, at(PANEL, PanelFormat.PANEL_SCALES + 64 * part));
            if (format.minima()) {
              a.v(VMOVUPS, MINIMUM, at(PANEL, format.panelMinima() + 64 * part));
            }
            for (int token = 0; token < tokens; token++) {
              addScaled(token, part);
            }
          }
          if (linesAhead > 0) {
            a.add(AHEAD, at(SweepCode.TABLE, TileTable.BYTES_AHEAD));
          }
          a.add(PANEL, format.panelBlockBytes());
          a.add(TILE, format.tileBlockBytes(tokens));
        });
    for (int token = 0; token < tokens; token++) {
      a.v(VMOVUPS, at(SUMS, 64 * token), sum(token));
    }
    a.add(SUMS, 64 * tokens);
    a.sub(TILE, bias);
    return k.finish();
  }

  /** What falls to one of the 8 steps of a block. */
  private void askAhead(int step) {
    for (int line = linesAhead * step / 8; line < linesAhead * (step + 1) / 8; line++) {
      a.prefetcht1(at(AHEAD, 64 * line));
    }
  }

  private void begin(int token, int part) {
    Vector product = product(token);
    if (format.minima()) {
      a.v(VPXORD, product, product, product);
    } else {
      Address offset = at(TILE, term(token, part) - bias);
      a.v(VPBROADCASTD, product, offset);
    }
  }

  private void addScaled(int token, int part) {
    Vector product = product(token);
    Vector factor = Vector.zmm(28 + token % 4);
    a.v(VCVTDQ2PS, product, product);
    a.v(VMULPS, factor, SCALE, tile(format.tileScales(tokens) + 4 * token));
    a.v(VFMADD231PS, sum(token), product, factor);
    if (format.minima()) {
      a.v(VFMADD231PS, sum(token), MINIMUM, tile(term(token, part)));
    }
  }

  private int term(int token, int part) {
    return format.tileTerms(tokens) + 4 * (part * tokens + token);
  }

  private Address tile(int bytes) {
    return at(TILE, bytes - bias).toAll();
  }

  private static Vector sum(int token) {
    return Vector.zmm(token);
  }

  private static Vector product(int token) {
    return Vector.zmm(MOST_TOKENS + token);
  }
}
