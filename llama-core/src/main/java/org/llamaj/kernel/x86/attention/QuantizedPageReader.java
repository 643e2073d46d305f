package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPAND;
import static org.llamaj.kernel.x86.assembler.Instruction.VPANDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVSXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSRLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSUBD;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.COUNTER;
import static org.llamaj.kernel.x86.attention.AttentionCode.MEMORY;
import static org.llamaj.kernel.x86.attention.AttentionCode.OPERAND;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;
import static org.llamaj.kernel.x86.attention.AttentionCode.SLOTS;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Pages of Q8_0 and Q4_0 ({@link QuantizedPage}): the same floats as the reference gives. */
final class QuantizedPageReader implements PageReader {
  private static final Gpr BLOCKS = Gpr.R8;
  private static final Gpr SCALES = Gpr.R9;

  private final QuantizedPage layout;
  private final KernelBuilder k;
  private final Assembler a;
  private final Vector[] loaded;
  private final boolean wide;
  private final int lanes;
  private final boolean nibbles;
  private final int frameAt;
  private final boolean asks;

  /** Behind the scales of keys, those of a page's values: [PAGE][blocks] floats. */
  private final int valueScalesAt;

  /**
   * @param loaded the registers that are loaded
   * @param frameAt where in the frame its floats are
   * @param asks whether it asks for the next page meanwhile
   */
  QuantizedPageReader(
      AttentionShape shape, KernelBuilder k, Vector[] loaded, int frameAt, boolean asks) {
    this.asks = asks;
    this.k = k;
    this.loaded = loaded;
    this.frameAt = frameAt;
    layout = new QuantizedPage(shape);
    a = k.a;
    wide = loaded[0].bits() == 512;
    lanes = loaded[0].bits() / 32;
    nibbles = shape.cacheType() == CacheType.Q4_0;
    valueScalesAt = frameAt + 4 * PAGE;
  }

  /** How many floats it keeps in the frame. */
  static int frameFloats(AttentionShape shape) {
    return PAGE + PAGE * shape.headDim() / QuantizedPage.BLOCK;
  }

  @Override
  public void begin() {
    int scales = PAGE * layout.blocks();
    a.mov(MEMORY, PAGE_BASE);
    a.add(MEMORY, at(ARGUMENTS, AttentionArguments.VALUES));
    a.add(MEMORY, scales * layout.quantBytes());
    a.lea(OPERAND, at(Gpr.RSP, valueScalesAt));
    k.repeat(
        scales / 32,
        COUNTER,
        () -> {
          ask(0, 64);
          for (int i = 0; i < 32; i += lanes) {
            a.v(VCVTPH2PS, loaded[0], at(MEMORY, 2 * i));
            a.v(VMOVUPS, at(OPERAND, 4 * i), loaded[0]);
          }
          a.add(MEMORY, 64);
          a.add(OPERAND, 128);
        });
  }

  @Override
  public void keys(int slot, int parts, int operandBytes, Product product) {
    int bytes = layout.quantBytes();
    int unroll = nibbles ? 2 : 4;
    a.mov(MEMORY, PAGE_BASE);
    a.add(MEMORY, at(ARGUMENTS, AttentionArguments.KEYS));
    k.repeat(
        layout.blocks(),
        BLOCKS,
        () -> {
          ask(2 * slot, 2 * parts * lanes);
          for (int part = 0; part < parts; part++) {
            a.v(VCVTPH2PS, loaded[0], at(MEMORY, 2 * (slot + part * lanes)));
            a.v(VMOVUPS, keyScales(part), loaded[0]);
          }
          a.add(MEMORY, 2 * PAGE);
          a.mov(COUNTER, bytes / unroll);
          k.loop(
              COUNTER,
              () -> {
                for (int i = 0; i < unroll; i++) {
                  keyRow(i, slot, parts, operandBytes, product);
                }
                a.add(MEMORY, unroll * PAGE);
                a.add(OPERAND, unroll * operandBytes);
              });
          if (nibbles) {
            a.add(OPERAND, bytes * operandBytes);
          }
        });
  }

  /** One component of a block, or two. */
  private void keyRow(int row, int slot, int parts, int operandBytes, Product product) {
    ask(row * PAGE + slot, parts * lanes);
    for (int half = 0; half < (nibbles ? 2 : 1); half++) {
      for (int part = 0; part < parts; part++) {
        integers(loaded[part], at(MEMORY, row * PAGE + slot + part * lanes), half == 1);
        a.v(VMULPS, loaded[part], loaded[part], keyScales(part));
      }
      product.add(parts, (row + half * layout.quantBytes()) * operandBytes);
    }
  }

  private Address keyScales(int part) {
    return at(Gpr.RSP, frameAt + 4 * part * lanes);
  }

  @Override
  public void values(int column, int parts, int operandBytes, Product product) {
    int firstBlock = column / QuantizedPage.BLOCK;
    a.mov(MEMORY, PAGE_BASE);
    a.add(MEMORY, at(ARGUMENTS, AttentionArguments.VALUES));
    a.lea(SCALES, at(Gpr.RSP, valueScalesAt));
    a.mov(COUNTER, SLOTS);
    k.loop(
        COUNTER,
        () -> {
          ask(firstBlock * layout.quantBytes(), nibbles ? parts * lanes / 2 : parts * lanes);
          for (int part = 0; part < parts; part++) {
            int first = column + part * lanes;
            int block = first / QuantizedPage.BLOCK;
            int component = first % QuantizedPage.BLOCK;
            int place = block * layout.quantBytes() + component % layout.quantBytes();
            integers(loaded[part], at(MEMORY, place), component >= layout.quantBytes());
            scale(loaded[part], at(SCALES, 4 * block));
          }
          product.add(parts, 0);
          a.add(MEMORY, layout.blocks() * layout.quantBytes());
          a.add(OPERAND, operandBytes);
          a.add(SCALES, 4 * layout.blocks());
        });
  }

  private void ask(int displacement, int bytes) {
    if (asks) {
      AttentionCode.askForNextPage(a, displacement, bytes);
    }
  }

  private void scale(Vector x, Address factor) {
    if (wide) {
      a.v(VMULPS, x, x, factor.toAll());
    } else {
      Vector all = Vector.ymm(14);
      a.v(VBROADCASTSS, all, factor);
      a.v(VMULPS, x, x, all);
    }
  }

  /** Quants as floats, not yet times their scale. */
  private void integers(Vector to, Address from, boolean high) {
    if (nibbles) {
      a.v(VPMOVZXBD, to, from);
      if (high) {
        a.vi(VPSRLD, 4, to, to);
      } else {
        a.v(wide ? VPANDD : VPAND, to, to, all(15));
      }
      a.v(VPSUBD, to, to, all(8));
    } else {
      a.v(VPMOVSXBD, to, from);
    }
    a.v(VCVTDQ2PS, to, to);
  }

  private Address all(int value) {
    return wide
        ? k.ints(value).toAll()
        : k.ints(value, value, value, value, value, value, value, value);
  }
}
