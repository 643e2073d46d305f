package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Mask;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * The product of a panel of 16 weight rows, [values][16] floats, and a tile of activation rows,
 * [values][tokens] floats, in float32. What is called a float here may be a pair of bfloat16 values
 * for an instruction that multiplies these ({@link PairLayout}).
 */
final class FloatGemmCode {
  private static final Gpr PANEL = Gpr.RDI;
  private static final Gpr TILE = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr VALUES = Gpr.RCX;
  private static final Gpr OUTPUT_STRIDE = Gpr.R8;
  private static final Gpr ROW_MASK = Gpr.R9;
  private static final int UNROLL = 4;
  private static final int PANEL_STRIDE = 4 * PanelFormat.ROWS;

  private FloatGemmCode() {}

  /** Most activation rows whose sums fit in the registers. */
  static int mostTokens(boolean avx512) {
    return avx512 ? 24 : 6;
  }

  /**
   * See {@link Layout#productCode}; the number of values is a multiple of 4.
   *
   * @param tokens activation rows in the tile, 1 to {@link #mostTokens}
   * @param multiplyAdd VFMADD231PS, or with AVX-512 VDPBF16PS
   */
  static byte[] assemble(int tokens, boolean avx512, Instruction multiplyAdd) {
    KernelBuilder k = new KernelBuilder(PANEL_STRIDE);
    Assembler a = k.a;
    for (int i = 0; i < tokens * (avx512 ? 1 : 2); i++) {
      k.zero(avx512 ? Vector.zmm(i) : Vector.ymm(i));
    }
    a.shr(VALUES, Integer.numberOfTrailingZeros(UNROLL));
    k.loop(
        VALUES,
        () -> {
          for (int i = 0; i < UNROLL; i++) {
            for (int token = 0; token < tokens; token++) {
              Address x = at(TILE, 4 * (i * tokens + token));
              if (avx512) {
                multiply512(a, multiplyAdd, i, token, x);
              } else {
                multiply256(a, i, token, x);
              }
            }
          }
          a.add(PANEL, UNROLL * PANEL_STRIDE);
          a.add(TILE, 4 * UNROLL * tokens);
        });
    if (avx512) {
      a.kmovq(Mask.K1, ROW_MASK);
      for (int token = 0; token < tokens; token++) {
        a.v(VMOVUPS, at(OUTPUT), Vector.zmm(token).masked(Mask.K1));
        a.add(OUTPUT, OUTPUT_STRIDE);
      }
    } else {
      store256(k, tokens);
    }
    return k.finish();
  }

  private static void multiply512(
      Assembler a, Instruction multiplyAdd, int i, int token, Address x) {
    Vector weights = Vector.zmm(24 + i % 2);
    if (token == 0) {
      a.v(VMOVUPS, weights, at(PANEL, PANEL_STRIDE * i));
    }
    a.v(multiplyAdd, Vector.zmm(token), weights, x.toAll());
  }

  private static void multiply256(Assembler a, int i, int token, Address x) {
    Vector lower = Vector.ymm(12);
    Vector upper = Vector.ymm(13);
    Vector broadcast = Vector.ymm(14 + token % 2);
    if (token == 0) {
      a.v(VMOVUPS, lower, at(PANEL, PANEL_STRIDE * i));
      a.v(VMOVUPS, upper, at(PANEL, PANEL_STRIDE * i + 32));
    }
    a.v(VBROADCASTSS, broadcast, x);
    a.v(VFMADD231PS, Vector.ymm(2 * token), lower, broadcast);
    a.v(VFMADD231PS, Vector.ymm(2 * token + 1), upper, broadcast);
  }

  private static void store256(KernelBuilder k, int tokens) {
    Assembler a = k.a;
    Label partial = new Label();
    Label done = new Label();
    a.cmp(ROW_MASK, 0xFFFF);
    a.j(Condition.NOT_EQUAL, partial);
    for (int token = 0; token < tokens; token++) {
      a.v(VMOVUPS, at(OUTPUT), Vector.ymm(2 * token));
      a.v(VMOVUPS, at(OUTPUT, 32), Vector.ymm(2 * token + 1));
      a.add(OUTPUT, OUTPUT_STRIDE);
    }
    a.jmp(done);
    a.bind(partial);
    for (int token = 0; token < tokens; token++) {
      a.v(VMOVUPS, at(Gpr.RSP), Vector.ymm(2 * token));
      a.v(VMOVUPS, at(Gpr.RSP, 32), Vector.ymm(2 * token + 1));
      Label next = new Label();
      a.mov(Gpr.R10, ROW_MASK);
      a.xor(Gpr.R11, Gpr.R11);
      a.bind(next);
      a.mov32(Gpr.RAX, at(Gpr.RSP, Gpr.R11, 4, 0));
      a.mov32(at(OUTPUT, Gpr.R11, 4, 0), Gpr.RAX);
      a.add(Gpr.R11, 1);
      a.shr(Gpr.R10, 1);
      a.j(Condition.NOT_EQUAL, next);
      a.add(OUTPUT, OUTPUT_STRIDE);
    }
    a.bind(done);
  }
}
