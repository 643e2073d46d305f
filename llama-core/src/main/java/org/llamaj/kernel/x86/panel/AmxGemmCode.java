package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.LDTILECFG;
import static org.llamaj.kernel.x86.assembler.Instruction.TDPBF16PS;
import static org.llamaj.kernel.x86.assembler.Instruction.TILELOADD;
import static org.llamaj.kernel.x86.assembler.Instruction.TILERELEASE;
import static org.llamaj.kernel.x86.assembler.Instruction.TILESTORED;
import static org.llamaj.kernel.x86.assembler.Instruction.TILEZERO;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.panel.AmxLayout.REGISTER_BYTES;
import static org.llamaj.kernel.x86.panel.AmxLayout.REGISTER_ROWS;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Mask;
import org.llamaj.kernel.x86.assembler.Tile;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;

/**
 * The product of a panel of 32 weight rows and a tile of up to 32 activation rows ({@link
 * AmxLayout}): for each 32 values, two registers of weights meet two of activations, so that 4
 * registers loaded are 4 products.
 *
 * <p>A register of sums is [16 weight rows][16 activation rows] and is transposed when stored, as
 * results are [activation rows][weight rows]. The other way round, activations times weights, would
 * save that, but then weights, of which there are more, would have to be brought into pairs.
 *
 * <p>The tiles are configured on entry and released before the return, so the JVM never runs with
 * tile registers in use.
 */
final class AmxGemmCode {
  private static final Gpr PANEL = Gpr.RDI;
  private static final Gpr TILE = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr STEPS = Gpr.RCX;
  private static final Gpr OUTPUT_STRIDE = Gpr.R8;
  private static final Gpr ROW_MASK = Gpr.R9;
  private static final Gpr ROW_BYTES = Gpr.R10;
  private static final Gpr WEIGHTS = Gpr.R11;
  private static final Gpr[] ACTIVATIONS = {Gpr.R12, Gpr.R13};
  private static final Gpr COUNTER = Gpr.RAX;
  private static final Gpr PART_BYTES = Gpr.RBX;

  private static final Tile[] WEIGHT = {Tile.tmm(4), Tile.tmm(5)};
  private static final Tile[] ACTIVATION = {Tile.tmm(6), Tile.tmm(7)};

  /** Which part of the weights meets which part of the activations. */
  private record Pass(int weightPart, int activationPart) {}

  private static final Pass[] WHOLE = {new Pass(0, 0)};
  private static final Pass[] SPLIT = {new Pass(1, 0), new Pass(0, 1), new Pass(0, 0)};

  private final int tokens;
  private final int groups;
  private final boolean split;
  private final KernelBuilder k = new KernelBuilder(4 * REGISTER_BYTES);
  private final Assembler a = k.a;

  private AmxGemmCode(int tokens, boolean split) {
    this.tokens = tokens;
    this.split = split;
    groups = AmxLayout.registers(tokens);
  }

  /** See {@link Layout#productCode}. */
  static byte[] assemble(int tokens, boolean split) {
    return new AmxGemmCode(tokens, split).assemble();
  }

  private byte[] assemble() {
    a.v(LDTILECFG, configuration());
    for (int half = 0; half < 2; half++) {
      for (int group = 0; group < groups; group++) {
        a.v(TILEZERO, sum(half, group));
      }
    }
    a.mov(ROW_BYTES, 64);
    a.mov(PART_BYTES, STEPS);
    a.shl(PART_BYTES, Integer.numberOfTrailingZeros(REGISTER_BYTES));
    for (Pass pass : split ? SPLIT : WHOLE) {
      multiply(pass);
    }
    for (int half = 0; half < 2; half++) {
      for (int group = 0; group < groups; group++) {
        Address place = at(Gpr.RSP, ROW_BYTES, 1, place(half, group));
        a.v(TILESTORED, place, sum(half, group));
      }
    }
    a.v(TILERELEASE);
    for (int half = 0; half < 2; half++) {
      a.kmovq(Mask.K1, ROW_MASK);
      a.shr(ROW_MASK, REGISTER_ROWS);
      store(half);
    }
    return k.finish();
  }

  private void multiply(Pass pass) {
    a.mov(WEIGHTS, PANEL);
    for (int i = 0; i < 2 * pass.weightPart; i++) {
      a.add(WEIGHTS, PART_BYTES);
    }
    a.mov(ACTIVATIONS[0], TILE);
    if (pass.activationPart == 1) {
      a.add(ACTIVATIONS[0], PART_BYTES);
    }
    if (groups == 2) {
      a.mov(ACTIVATIONS[1], ACTIVATIONS[0]);
      for (int i = 0; i < (split ? 2 : 1); i++) {
        a.add(ACTIVATIONS[1], PART_BYTES);
      }
    }
    a.mov(COUNTER, STEPS);
    k.loop(
        COUNTER,
        () -> {
          for (int half = 0; half < 2; half++) {
            a.v(TILELOADD, WEIGHT[half], at(WEIGHTS, ROW_BYTES, 1, half * REGISTER_BYTES));
          }
          for (int group = 0; group < groups; group++) {
            a.v(TILELOADD, ACTIVATION[group], at(ACTIVATIONS[group], ROW_BYTES, 1, 0));
            for (int half = 0; half < 2; half++) {
              a.v(TDPBF16PS, sum(half, group), WEIGHT[half], ACTIVATION[group]);
            }
            a.add(ACTIVATIONS[group], REGISTER_BYTES);
          }
          a.add(WEIGHTS, 2 * REGISTER_BYTES);
        });
  }

  /** Transposes the sums of 16 weight rows into the results, 8 activation rows at a time. */
  private void store(int half) {
    Gpr to = WEIGHTS;
    a.lea(to, at(OUTPUT, 64 * half));
    for (int first = 0; first < tokens; first += 8) {
      int place = place(half, first / REGISTER_ROWS) + 4 * (first % REGISTER_ROWS);
      Vector[] results = Transpose.rows16(a, Gpr.RSP, place, 64);
      for (int i = 0; i < Math.min(8, tokens - first); i++) {
        a.v(VMOVUPS, at(to), results[i].masked(Mask.K1));
        a.add(to, OUTPUT_STRIDE);
      }
    }
  }

  private static Tile sum(int half, int group) {
    return Tile.tmm(2 * half + group);
  }

  private static int place(int half, int group) {
    return (2 * half + group) * REGISTER_BYTES;
  }

  /** Palette 1; 8 registers of 64 bytes in each of 16 rows. */
  private Address configuration() {
    int columns = 64 << 16 | 64;
    int rows = 0x10101010;
    return k.ints(1, 0, 0, 0, columns, columns, columns, columns, 0, 0, 0, 0, rows, rows, 0, 0);
  }
}
