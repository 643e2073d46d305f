package org.llamaj.kernel.x86.attention;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2DQ;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPS2PH;
import static org.llamaj.kernel.x86.assembler.Instruction.VDIVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI128;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMAXSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMINPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPACKSSDW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPACKSSWB;
import static org.llamaj.kernel.x86.assembler.Instruction.VPADDD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPOR;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLW;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Condition;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Label;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/** Writes one token's keys and values to a page of Q8_0 or Q4_0 ({@link QuantizedPage}). AVX2. */
final class QuantizedStoreCode {
  private static final int PAGE = AttentionShape.PAGE_TOKENS;
  private static final int BLOCK = QuantizedPage.BLOCK;
  private static final int TO_NEAREST = 0;

  private static final Gpr KEYS = Gpr.RDI;
  private static final Gpr VALUES = Gpr.RSI;
  private static final Gpr KEY_BLOCK = Gpr.RDX;
  private static final Gpr SLOT = Gpr.RCX;
  private static final Gpr VALUE_QUANTS = Gpr.R8;
  private static final Gpr VALUE_SCALES = Gpr.R9;
  private static final Gpr HEADS = Gpr.RBX;
  private static final Gpr BLOCKS = Gpr.R12;

  /** The scale's bits; then a byte on its way. */
  private static final Gpr HALF = Gpr.RAX;

  private static final Vector QUANTS = Vector.ymm(0);

  private final boolean nibbles;
  private final int blocks;
  private final int quantBytes;
  private final int blockBytes;
  private final KernelBuilder k = new KernelBuilder(64);
  private final Assembler a = k.a;

  private QuantizedStoreCode(CacheType type, int headDim) {
    nibbles = type == CacheType.Q4_0;
    blocks = headDim / BLOCK;
    blockBytes = type.blockBytes();
    quantBytes = blockBytes - Short.BYTES;
  }

  /**
   * Arguments: address of the token's keys, of its values, of the page, the token's slot in it,
   * address of the quants of its first value, of their scales.
   */
  static byte[] assemble(int kvHeads, int headDim, CacheType type) {
    return new QuantizedStoreCode(type, headDim).assemble(kvHeads);
  }

  private byte[] assemble(int kvHeads) {
    a.mov(HEADS, kvHeads);
    k.loop(
        HEADS,
        () -> {
          a.mov(BLOCKS, blocks);
          k.loop(BLOCKS, this::block);
          int headBytes = blocks * PAGE * blockBytes;
          a.add(VALUE_QUANTS, headBytes - blocks * quantBytes);
          a.add(VALUE_SCALES, headBytes - blocks * Short.BYTES);
        });
    return k.finish();
  }

  private void block() {
    quantize(KEYS);
    a.mov16(at(KEY_BLOCK, SLOT, 2, 0), HALF);
    a.v(VMOVUPS, at(Gpr.RSP), nibbles ? QUANTS.x() : QUANTS);
    for (int i = 0; i < quantBytes; i++) {
      a.movzx8(HALF, at(Gpr.RSP, i));
      a.mov8(at(KEY_BLOCK, SLOT, 1, PAGE * (Short.BYTES + i)), HALF);
    }
    quantize(VALUES);
    a.mov16(at(VALUE_SCALES), HALF);
    a.v(VMOVUPS, at(VALUE_QUANTS), nibbles ? QUANTS.x() : QUANTS);
    a.add(KEYS, 4 * BLOCK);
    a.add(VALUES, 4 * BLOCK);
    a.add(KEY_BLOCK, PAGE * blockBytes);
    a.add(VALUE_QUANTS, quantBytes);
    a.add(VALUE_SCALES, Short.BYTES);
  }

  /** 32 floats: their quants, and in HALF the scale as half precision. */
  private void quantize(Gpr source) {
    Vector[] x = {Vector.ymm(4), Vector.ymm(5), Vector.ymm(6), Vector.ymm(7)};
    Vector factor = Vector.ymm(2);
    for (int i = 0; i < x.length; i++) {
      a.v(VMOVUPS, x[i], at(source, 32 * i));
    }
    scale(x);
    a.vi(VCVTPS2PH, TO_NEAREST, Vector.xmm(1), Vector.xmm(1));
    a.vmovd(HALF, Vector.xmm(1));
    a.and(HALF, 0xFFFF);
    // 1 / scale, where that is not 0.
    Label zero = new Label();
    k.zero(factor);
    a.mov(Gpr.R10, HALF);
    a.and(Gpr.R10, 0x7FFF);
    a.cmp(Gpr.R10, 0);
    a.j(Condition.EQUAL, zero);
    a.v(VCVTPH2PS, Vector.xmm(1), Vector.xmm(1));
    a.v(VMOVSS, factor.x(), k.scalar(1));
    a.v(VDIVSS, factor.x(), factor.x(), Vector.xmm(1));
    a.v(VBROADCASTSS, factor, factor.x());
    a.bind(zero);
    for (Vector part : x) {
      a.v(VMULPS, part, part, factor);
      a.v(VMINPS, part, part, k.float8(nibbles ? 7 : 127));
      a.v(VMAXPS, part, part, k.float8(nibbles ? -8 : -127));
      a.v(VCVTPS2DQ, part, part);
      if (nibbles) {
        a.v(VPADDD, part, part, k.ints(8, 8, 8, 8, 8, 8, 8, 8));
      }
    }
    a.v(VPACKSSDW, x[0], x[0], x[1]);
    a.v(VPACKSSDW, x[2], x[2], x[3]);
    a.v(VPACKSSWB, x[0], x[0], x[2]);
    a.v(VMOVUPS, QUANTS, k.ints(0, 4, 1, 5, 2, 6, 3, 7));
    a.v(VPERMD, QUANTS, QUANTS, x[0]);
    if (nibbles) {
      Vector high = Vector.xmm(1);
      a.vi(VEXTRACTI128, 1, high, QUANTS);
      a.vi(VPSLLW, 4, high, high);
      a.v(VPOR, QUANTS.x(), QUANTS.x(), high);
    }
  }

  /** The scale as float, into lane 0 of register 1. */
  private void scale(Vector[] x) {
    Vector greatest = Vector.ymm(1);
    Vector least = Vector.ymm(2); // negated
    Vector other = Vector.ymm(3);
    Vector zero = Vector.ymm(0);
    k.zero(zero);
    for (int i = 0; i < x.length; i++) {
      a.v(VSUBPS, i == 0 ? least : other, zero, x[i]);
      if (i == 0) {
        a.v(VMOVUPS, greatest, x[i]);
      } else {
        a.v(VMAXPS, greatest, greatest, x[i]);
        a.v(VMAXPS, least, least, other);
      }
    }
    k.maxLanes(greatest, other);
    k.maxLanes(least, other);
    if (!nibbles) {
      a.v(VMAXSS, greatest.x(), greatest.x(), least.x());
      a.v(VMOVSS, other.x(), k.scalar(127));
      a.v(VDIVSS, greatest.x(), greatest.x(), other.x());
      return;
    }
    // Of the two magnitudes the greater; its sign is the value's, times that of -8.
    Label positive = new Label();
    Label known = new Label();
    a.v(VSUBPS, other.x(), greatest.x(), least.x());
    a.vmovd(HALF, other.x());
    a.shr(HALF, 31);
    a.cmp(HALF, 0);
    a.j(Condition.EQUAL, positive);
    a.v(VMULPS, greatest.x(), least.x(), k.float8(1f / 8));
    a.jmp(known);
    a.bind(positive);
    a.v(VMULPS, greatest.x(), greatest.x(), k.float8(-1f / 8));
    a.bind(known);
  }
}
