package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.code.Bfloat16;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Transposes a few rows of activations into a tile: [values][tokens], or pairs in their place. */
final class FloatTileCode {
  private static final int UNROLL = 16;

  private FloatTileCode() {}

  /**
   * See {@link Layout#tileCode}; the number of values, or pairs, is a multiple of 16.
   *
   * @param tokens rows in the tile
   * @param pairs whether to round the floats and write pairs of bfloat16 values
   */
  static byte[] assemble(int tokens, boolean pairs) {
    KernelBuilder k = new KernelBuilder(64);
    Assembler a = k.a;
    Gpr source = Gpr.RDI;
    Gpr tile = Gpr.RSI;
    Gpr stride = Gpr.RDX;
    Gpr values = Gpr.RCX;
    Gpr from = Gpr.R8;
    Gpr to = Gpr.R9;
    Gpr counter = Gpr.RAX;
    a.shr(values, Integer.numberOfTrailingZeros(UNROLL));
    k.repeat(
        tokens,
        Gpr.R10,
        () -> {
          a.mov(from, source);
          a.mov(to, tile);
          a.mov(counter, values);
          k.loop(
              counter,
              () -> {
                if (pairs) {
                  a.v(VMOVUPS, Bfloat16.FLOATS[0], at(from));
                  a.v(VMOVUPS, Bfloat16.FLOATS[1], at(from, 64));
                  Bfloat16.round(a);
                  a.v(VMOVUPS, at(Gpr.RSP), Bfloat16.ROUNDED);
                }
                for (int i = 0; i < UNROLL; i++) {
                  a.mov32(Gpr.R11, at(pairs ? Gpr.RSP : from, 4 * i));
                  a.mov32(at(to, 4 * i * tokens), Gpr.R11);
                }
                a.add(from, (pairs ? 8 : 4) * UNROLL);
                a.add(to, 4 * UNROLL * tokens);
              });
          a.add(source, stride);
          a.add(tile, 4);
        });
    return k.finish();
  }
}
