package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2PH;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Writes one token's keys and values to a cache page ({@link AttentionShape}). AVX2. */
final class StoreCode {
  private static final Gpr KEYS = Gpr.RDI;
  private static final Gpr VALUES = Gpr.RSI;
  private static final Gpr KEY_PLACE = Gpr.RDX;
  private static final Gpr VALUE_PLACE = Gpr.RCX;
  private static final Gpr VALUE = Gpr.R8;
  private static final Gpr COUNTER = Gpr.RAX;
  private static final Gpr HEADS = Gpr.R9;
  private static final int TO_NEAREST = 0;

  private StoreCode() {}

  /**
   * Arguments: address of the token's keys, of its values, of its first key component in the page,
   * of its first value in the page.
   */
  static byte[] assemble(int kvHeads, int headDim, CacheType type) {
    KernelBuilder k = new KernelBuilder(32);
    Assembler a = k.a;
    boolean halves = type == CacheType.F16;
    int bytes = type.bytes();
    int keyStride = AttentionShape.PAGE_TOKENS * bytes;
    k.repeat(
        kvHeads * headDim / 8,
        COUNTER,
        () -> {
          convert(a, KEYS, at(Gpr.RSP), halves);
          for (int i = 0; i < 8; i++) {
            Address place = at(KEY_PLACE, i * keyStride);
            if (halves) {
              a.movzx16(VALUE, at(Gpr.RSP, 2 * i));
              a.mov16(place, VALUE);
            } else {
              a.mov32(VALUE, at(Gpr.RSP, 4 * i));
              a.mov32(place, VALUE);
            }
          }
          a.add(KEYS, 32);
          a.add(KEY_PLACE, 8 * keyStride);
        });
    k.repeat(
        kvHeads,
        HEADS,
        () -> {
          k.repeat(
              headDim / 8,
              COUNTER,
              () -> {
                convert(a, VALUES, at(VALUE_PLACE), halves);
                a.add(VALUES, 32);
                a.add(VALUE_PLACE, 8 * bytes);
              });
          a.add(VALUE_PLACE, (AttentionShape.PAGE_TOKENS - 1) * headDim * bytes);
        });
    return k.finish();
  }

  private static void convert(Assembler a, Gpr from, Address to, boolean halves) {
    a.v(VMOVUPS, Vector.ymm(0), at(from));
    if (halves) {
      a.vi(VCVTPS2PH, TO_NEAREST, to, Vector.ymm(0));
    } else {
      a.v(VMOVUPS, to, Vector.ymm(0));
    }
  }
}
