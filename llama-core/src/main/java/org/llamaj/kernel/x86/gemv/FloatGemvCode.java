package org.llamaj.kernel.x86.gemv;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD231PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;

import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.format.RowReader;
import org.llamaj.tensor.ElementType;

/**
 * Products of weight rows in floating point with one or a few rows of activations, in float32. The
 * weights are taken once, in the order of memory.
 */
public final class FloatGemvCode {
  /** Most activation rows that the registers hold. */
  public static final int MOST_TOKENS = 4;

  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr ACTIVATIONS = Gpr.RSI;
  private static final Gpr OUTPUT = Gpr.RDX;
  private static final Gpr ROWS = Gpr.RCX;
  private static final Gpr OUTPUT_STRIDE = Gpr.R8;
  private static final Gpr INPUT = Gpr.R9;
  private static final Gpr COUNTER = Gpr.RAX;
  private static final int STEP_VALUES = 64;

  private final ElementType type;
  private final int values;
  private final int tokens;
  private final int sums;
  private final boolean avx512;
  private final int prefetch;
  private final KernelBuilder k = new KernelBuilder(0);
  private final Assembler a = k.a;

  private FloatGemvCode(ElementType type, int values, int tokens, boolean avx512, int prefetch) {
    this.type = type;
    this.values = values;
    this.tokens = tokens;
    this.avx512 = avx512;
    this.prefetch = prefetch;
    sums = tokens == 1 ? 4 : 2;
  }

  /**
   * Arguments: address of the weight rows, of the activations (rows of {@code values} floats), of
   * the first result, number of weight rows (at least 1), bytes between the results of neighbouring
   * activation rows.
   *
   * @param type F32, F16 or BF16
   * @param values in a row, a multiple of 16
   * @param tokens activation rows, 1 to {@link #MOST_TOKENS}
   * @param prefetch how many bytes ahead to ask for weights; 0 to leave that to the hardware
   */
  public static byte[] assemble(
      ElementType type, int values, int tokens, boolean avx512, int prefetch) {
    return new FloatGemvCode(type, values, tokens, avx512, prefetch).assemble();
  }

  private byte[] assemble() {
    k.loop(
        ROWS,
        () -> {
          for (int token = 0; token < tokens; token++) {
            for (int i = 0; i < sums; i++) {
              k.zero(sum(token, i));
            }
          }
          a.mov(INPUT, ACTIVATIONS);
          k.repeat(values / STEP_VALUES, COUNTER, () -> step(STEP_VALUES));
          step(values % STEP_VALUES);
          store();
        });
    return k.finish();
  }

  private void step(int count) {
    int lanes = avx512 ? 16 : 8;
    int bytes = count * type.blockBytes();
    for (int line = 0; prefetch > 0 && line < bytes; line += 64) {
      a.prefetcht0(at(WEIGHTS, prefetch + line));
    }
    Vector weights = register(0);
    for (int i = 0; i < count; i += lanes) {
      RowReader.load(a, type, weights, at(WEIGHTS, i * type.blockBytes()));
      for (int token = 0; token < tokens; token++) {
        a.v(
            VFMADD231PS,
            sum(token, i / lanes % sums),
            weights,
            at(INPUT, 4 * (token * values + i)));
      }
    }
    a.add(WEIGHTS, bytes);
    a.add(INPUT, 4 * count);
  }

  private void store() {
    for (int token = 0; token < tokens; token++) {
      Vector total = sum(token, 0);
      for (int i = 1; i < sums; i++) {
        a.v(VADDPS, total, total, sum(token, i));
      }
      k.sumLanes(total, register(0));
      if (token == 0) {
        a.v(VMOVSS, at(OUTPUT), total.x());
        a.mov(INPUT, OUTPUT);
      } else {
        a.add(INPUT, OUTPUT_STRIDE);
        a.v(VMOVSS, at(INPUT), total.x());
      }
    }
    a.add(OUTPUT, 4);
  }

  private Vector sum(int token, int index) {
    return register(1 + token * sums + index);
  }

  private Vector register(int number) {
    return avx512 ? Vector.zmm(number) : Vector.ymm(number);
  }
}
