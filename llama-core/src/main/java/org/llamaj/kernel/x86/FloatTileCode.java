package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Address.at;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;

/** Transposes a few rows of activations into a tile: [values][tokens]. */
final class FloatTileCode {
  private static final int UNROLL = 16;

  private FloatTileCode() {}

  /**
   * Arguments: address of the first row's floats, of the tile, bytes between rows, number of
   * values, a multiple of 16.
   *
   * @param tokens rows in the tile
   */
  static byte[] assemble(int tokens) {
    KernelBuilder k = new KernelBuilder(0);
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
                for (int i = 0; i < UNROLL; i++) {
                  a.mov32(Gpr.R11, at(from, 4 * i));
                  a.mov32(at(to, 4 * i * tokens), Gpr.R11);
                }
                a.add(from, 4 * UNROLL);
                a.add(to, 4 * UNROLL * tokens);
              });
          a.add(source, stride);
          a.add(tile, 4);
        });
    return k.finish();
  }
}
