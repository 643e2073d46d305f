package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.attention.AttentionCode.ARGUMENTS;
import static org.llamaj.kernel.x86.attention.AttentionCode.COUNTER;
import static org.llamaj.kernel.x86.attention.AttentionCode.MEMORY;
import static org.llamaj.kernel.x86.attention.AttentionCode.OPERAND;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE;
import static org.llamaj.kernel.x86.attention.AttentionCode.PAGE_BASE;
import static org.llamaj.kernel.x86.attention.AttentionCode.SLOTS;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Instruction;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Pages of F32 and F16 ({@link AttentionShape}). */
final class FloatPageReader implements PageReader {
  private final AttentionShape shape;
  private final KernelBuilder k;
  private final Assembler a;
  private final Vector[] loaded;
  private final int bytes;
  private final int lanes;
  private final Instruction load;
  private final boolean asks;

  /**
   * @param loaded the registers that are loaded
   * @param asks whether it asks for the next page meanwhile
   */
  FloatPageReader(AttentionShape shape, KernelBuilder k, Vector[] loaded, boolean asks) {
    this.asks = asks;
    this.shape = shape;
    this.k = k;
    this.loaded = loaded;
    a = k.a;
    bytes = shape.cacheType().bytes();
    lanes = loaded[0].bits() / 32;
    load = shape.cacheType() == CacheType.F16 ? VCVTPH2PS : VMOVUPS;
  }

  @Override
  public void begin() {
    // All that is needed lies with the keys and the values.
  }

  @Override
  public void keys(int slot, int parts, int operandBytes, Product product) {
    a.mov(MEMORY, PAGE_BASE);
    a.add(MEMORY, at(ARGUMENTS, AttentionArguments.KEYS));
    int unroll = shape.headDim() % 4 == 0 ? 4 : 1;
    a.mov(COUNTER, shape.headDim() / unroll);
    k.loop(
        COUNTER,
        () -> {
          for (int i = 0; i < unroll; i++) {
            load(parts, (i * PAGE + slot) * bytes);
            product.add(parts, i * operandBytes);
          }
          a.add(MEMORY, unroll * PAGE * bytes);
          a.add(OPERAND, unroll * operandBytes);
        });
  }

  @Override
  public void values(int column, int parts, int operandBytes, Product product) {
    a.mov(MEMORY, PAGE_BASE);
    a.add(MEMORY, at(ARGUMENTS, AttentionArguments.VALUES));
    a.mov(COUNTER, SLOTS);
    k.loop(
        COUNTER,
        () -> {
          load(parts, column * bytes);
          product.add(parts, 0);
          a.add(MEMORY, shape.headDim() * bytes);
          a.add(OPERAND, operandBytes);
        });
  }

  private void load(int parts, int displacement) {
    if (asks) {
      AttentionCode.askForNextPage(a, displacement, parts * lanes * bytes);
    }
    for (int part = 0; part < parts; part++) {
      a.v(load, loaded[part], at(MEMORY, displacement + part * lanes * bytes));
    }
  }
}
