package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI128;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.BlockQuantizer;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Quantises a few rows of activations into a tile of {@link PanelFormat}. */
final class TileCode {
  private TileCode() {}

  /**
   * Arguments: address of the first row's floats, of the tile, bytes between rows, number of blocks
   * of 32.
   *
   * @param tokens rows in the tile
   */
  static byte[] assemble(PanelFormat format, int tokens) {
    KernelBuilder k = new KernelBuilder(32);
    Assembler a = k.a;
    Gpr source = Gpr.RDI;
    Gpr tile = Gpr.RSI;
    Gpr stride = Gpr.RDX;
    Gpr blocks = Gpr.RCX;
    Gpr from = Gpr.R8;
    Gpr to = Gpr.R9;
    Gpr counter = Gpr.RAX;
    Gpr four = Gpr.R11;
    BlockQuantizer quantizer = new BlockQuantizer(k);
    k.repeat(
        tokens,
        Gpr.R10,
        () -> {
          a.mov(from, source);
          a.mov(to, tile);
          a.mov(counter, blocks);
          k.loop(
              counter,
              () -> {
                quantizer.quantize(from);
                a.v(VMOVUPS, at(Gpr.RSP), BlockQuantizer.VALUES);
                for (int i = 0; i < 8; i++) {
                  a.mov32(four, at(Gpr.RSP, 4 * i));
                  a.mov32(at(to, 4 * i * tokens), four);
                }
                a.v(VMOVSS, at(to, format.tileScales(tokens)), BlockQuantizer.SCALE);
                terms(k, format, tokens, to);
                a.add(from, 128);
                a.add(to, format.tileBlockBytes(tokens));
              });
          a.add(source, stride);
          a.add(tile, 4);
        });
    return k.finish();
  }

  private static void terms(KernelBuilder k, PanelFormat format, int tokens, Gpr to) {
    Assembler a = k.a;
    Vector sums = BlockQuantizer.SUMS_16;
    Vector upper = Vector.ymm(4);
    Vector t = Vector.ymm(5);
    if (format.scales() == 1) {
      a.vi(VEXTRACTI128, 1, upper.x(), sums);
      a.v(VPADDD, sums.x(), sums.x(), upper.x());
    }
    if (format.minima()) {
      a.v(VCVTDQ2PS, sums, sums);
      a.v(VBROADCASTSS, t, BlockQuantizer.SCALE);
      a.v(VMULPS, sums, sums, t);
    } else {
      k.zero(t);
      a.vi(VPSLLD, 7, sums, sums);
      a.v(VPSUBD, sums, t, sums);
    }
    int terms = format.tileTerms(tokens);
    a.v(VMOVSS, at(to, terms), sums.x());
    if (format.scales() == 2) {
      a.vi(VEXTRACTI128, 1, upper.x(), sums);
      a.v(VMOVSS, at(to, terms + 4 * tokens), upper.x());
    }
  }
}
