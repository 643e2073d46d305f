package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.panel.AmxLayout.REGISTER_BYTES;
import static org.llamaj.kernel.x86.panel.AmxLayout.REGISTER_ROWS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.Bfloat16;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;

/** Brings activation rows into a tile of {@link AmxLayout}. */
final class AmxTileCode {
  private static final Gpr SOURCE = Gpr.RDI;
  private static final Gpr TILE = Gpr.RSI;
  private static final Gpr STRIDE = Gpr.RDX;
  private static final Gpr STEPS = Gpr.RCX;
  private static final Gpr BLOCK = Gpr.R8;
  private static final Gpr FROM = Gpr.R9;
  private static final Gpr BUFFER = Gpr.R10;
  private static final Gpr BLOCKS = Gpr.R11;
  private static final Gpr COUNTER = Gpr.RAX;
  private static final Gpr PART_BYTES = Gpr.RBX;
  private static final Gpr SECOND_PART = Gpr.R12;

  private final int tokens;
  private final boolean split;
  private final KernelBuilder k = new KernelBuilder(2 * REGISTER_BYTES);
  private final Assembler a = k.a;

  private AmxTileCode(int tokens, boolean split) {
    this.tokens = tokens;
    this.split = split;
  }

  /** See {@link Layout#tileCode}. */
  static byte[] assemble(int tokens, boolean split) {
    return new AmxTileCode(tokens, split).assemble();
  }

  private byte[] assemble() {
    a.mov(PART_BYTES, STEPS);
    a.shl(PART_BYTES, Integer.numberOfTrailingZeros(REGISTER_BYTES));
    for (int first = 0; first < tokens; first += REGISTER_ROWS) {
      group(Math.min(REGISTER_ROWS, tokens - first));
    }
    return k.finish();
  }

  private void group(int count) {
    Vector zero = Vector.zmm(16);
    k.zero(zero);
    for (int row = count; row < REGISTER_ROWS; row++) {
      a.v(VMOVUPS, at(Gpr.RSP, 64 * row), zero);
      a.v(VMOVUPS, at(Gpr.RSP, REGISTER_BYTES + 64 * row), zero);
    }
    a.mov(BLOCK, SOURCE);
    a.mov(BLOCKS, STEPS);
    k.loop(
        BLOCKS,
        () -> {
          a.mov(FROM, BLOCK);
          a.mov(BUFFER, Gpr.RSP);
          k.repeat(count, COUNTER, this::roundRow);
          pairs(0, TILE);
          if (split) {
            a.mov(SECOND_PART, TILE);
            a.add(SECOND_PART, PART_BYTES);
            pairs(REGISTER_BYTES, SECOND_PART);
          }
          a.add(BLOCK, 4 * AmxLayout.VALUES);
          a.add(TILE, REGISTER_BYTES);
        });
    if (split) {
      a.add(TILE, PART_BYTES);
    }
    a.mov(FROM, STRIDE);
    a.shl(FROM, Integer.numberOfTrailingZeros(REGISTER_ROWS));
    a.add(SOURCE, FROM);
  }

  /** 32 values of a row. */
  private void roundRow() {
    a.v(VMOVUPS, Bfloat16.FLOATS[0], at(FROM));
    a.v(VMOVUPS, Bfloat16.FLOATS[1], at(FROM, 64));
    Bfloat16.round(a);
    a.v(VMOVUPS, at(BUFFER), Bfloat16.ROUNDED);
    if (split) {
      Bfloat16.subtractRounded(a);
      Bfloat16.round(a);
      a.v(VMOVUPS, at(BUFFER, REGISTER_BYTES), Bfloat16.ROUNDED);
    }
    a.add(FROM, STRIDE);
    a.add(BUFFER, 64);
  }

  /** Transposes 16 rows of 16 pairs. */
  private void pairs(int buffer, Gpr to) {
    for (int half = 0; half < 2; half++) {
      Vector[] pairs = Transpose.rows16(a, Gpr.RSP, buffer + 32 * half, 64);
      for (int i = 0; i < 8; i++) {
        a.v(VMOVUPS, at(to, 64 * (8 * half + i)), pairs[i]);
      }
    }
  }
}
