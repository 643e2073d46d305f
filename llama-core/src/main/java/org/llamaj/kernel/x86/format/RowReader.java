package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VADDPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXWD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPSLLD;
import static org.llamaj.kernel.x86.assembler.Instruction.VSUBPS;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.tensor.ElementType;

/**
 * Emits the conversion of weights of any type to floats: the same floats as the reference gives.
 * AVX2, in registers below 12.
 */
public final class RowReader {
  /** Values that {@link #toFloats} converts at most. */
  public static final int RECORD_VALUES = 256;

  /** Room it needs at RSP. */
  public static final int FRAME_BYTES = 192;

  private static final int SCALES_AT = 32;
  private static final int MINIMA_AT = 96;
  private static final float ZERO_BYTE = 128;

  private final KernelBuilder k;
  private final Assembler a;
  private final ElementType type;
  private final BlockFormat format;
  private final BlockReader blocks;
  private final Gpr source;
  private final Gpr target;

  /**
   * @param type with a block format, or F32, F16 or BF16
   * @param source points at the weights
   * @param target points at the floats
   */
  public RowReader(KernelBuilder kernel, ElementType type, Gpr source, Gpr target) {
    k = kernel;
    a = kernel.a;
    this.type = type;
    format = BlockFormat.of(type).orElse(null);
    blocks = new BlockReader(kernel, source);
    this.source = source;
    this.target = target;
  }

  /** Loads constants into registers 8 to 11. */
  public void constants() {
    if (format != null) {
      format.constants(blocks);
    }
  }

  /** The floats at an address of a floating-point type. */
  public static void load(Assembler a, ElementType type, Vector to, Address from) {
    switch (type) {
      case F32 -> a.v(VMOVUPS, to, from);
      case F16 -> a.v(VCVTPH2PS, to, from);
      case BF16 -> {
        a.v(VPMOVZXWD, to, from);
        a.vi(VPSLLD, 16, to, to);
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Converts the next values; the registers do not move. At most {@link #RECORD_VALUES}. */
  public void toFloats(int values) {
    if (format == null) {
      for (int i = 0; i < values; i += 8) {
        load(a, type, BlockReader.VALUES, at(source, i * type.blockBytes()));
        a.v(VMOVUPS, at(target, 4 * i), BlockReader.VALUES);
      }
    } else if (format.blockValues() == 32) {
      for (int block = 0; block < values / 32; block++) {
        blocks.moveTo(block * format.blockBytes());
        smallBlock(block);
      }
    } else if (values > 0) {
      blocks.moveTo(0);
      superBlock();
    }
  }

  private void smallBlock(int block) {
    Vector scale = BlockReader.SCALES[0];
    Vector minimum = BlockReader.MINIMA[0];
    blocks.half(0, scale);
    if (format.unit() != 1) {
      a.v(VMULPS, scale, scale, k.float8(format.unit()));
    }
    if (format.hasMinima()) {
      blocks.half(2, minimum);
    }
    format.values(blocks, 0, BlockReader.VALUES);
    a.v(VMOVUPS, at(Gpr.RSP), BlockReader.VALUES);
    for (int i = 0; i < 32; i += 8) {
      Vector x = scaled(i, scale);
      if (format.hasMinima()) {
        a.v(VADDPS, x, x, minimum);
      }
      a.v(VMOVUPS, at(target, 4 * (32 * block + i)), x);
    }
  }

  private void superBlock() {
    Vector scale = BlockReader.SCALES[0];
    Vector minimum = BlockReader.MINIMA[0];
    int scaleValues = format.scaleValues();
    format.scales(blocks);
    for (int i = 0; i < 32 / scaleValues; i++) {
      if (format.unit() != 1) {
        a.v(VMULPS, BlockReader.SCALES[i], BlockReader.SCALES[i], k.float8(format.unit()));
      }
      a.v(VMOVUPS, at(Gpr.RSP, SCALES_AT + 32 * i), BlockReader.SCALES[i]);
      if (format.hasMinima()) {
        a.v(VMOVUPS, at(Gpr.RSP, MINIMA_AT + 32 * i), BlockReader.MINIMA[i]);
      }
    }
    for (int i = 0; i < 256; i += 8) {
      if (i % 32 == 0) {
        format.values(blocks, i / 32, BlockReader.VALUES);
        a.v(VMOVUPS, at(Gpr.RSP), BlockReader.VALUES);
      }
      if (i % scaleValues == 0) {
        a.v(VBROADCASTSS, scale, at(Gpr.RSP, SCALES_AT + 4 * (i / scaleValues)));
        if (format.hasMinima()) {
          a.v(VBROADCASTSS, minimum, at(Gpr.RSP, MINIMA_AT + 4 * (i / scaleValues)));
        }
      }
      Vector x = scaled(i % 32, scale);
      if (format.hasMinima()) {
        a.v(VSUBPS, x, x, minimum);
      }
      a.v(VMOVUPS, at(target, 4 * i), x);
    }
  }

  /** 8 of the 32 bytes at RSP, counted from their zero, times the scale. */
  private Vector scaled(int first, Vector scale) {
    Vector x = BlockReader.T1;
    a.v(VPMOVZXBD, x, at(Gpr.RSP, first));
    a.v(VCVTDQ2PS, x, x);
    if (!format.hasMinima()) {
      a.v(VSUBPS, x, x, k.float8(ZERO_BYTE));
    }
    a.v(VMULPS, x, x, scale);
    return x;
  }
}
