package org.llamaj.kernel.x86.panel;

import static org.llamaj.kernel.x86.assembler.Address.at;
import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTSS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VEXTRACTI128;
import static org.llamaj.kernel.x86.assembler.Instruction.VFMADD213PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVZXBD;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Operand;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.Bfloat16;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.format.BlockFormat;
import org.llamaj.kernel.x86.format.BlockReader;
import org.llamaj.tensor.ElementType;

/**
 * Brings 32 weight rows into a panel of {@link AmxLayout}, row by row in the order of memory. Where
 * a row does not exist, the panel keeps what it has; the product ignores it.
 *
 * <p>A quantised value is {@code scale * byte + bias}, a single rounding, with {@code -128 * scale}
 * as bias where there are no minima.
 */
final class AmxPanelCode {
  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr PANEL = Gpr.RSI;
  private static final Gpr ROWS = Gpr.RDX;
  private static final Gpr TARGET = Gpr.R8;
  private static final Gpr RECORDS = Gpr.RAX;

  private static final int RECORD_VALUES = 256;
  private static final int PREFETCH_BYTES = 4096;

  /** From 32 values of a row to its next. */
  private static final int STEP_BYTES = 2 * AmxLayout.REGISTER_BYTES;

  private static final int BIASES_AT = 64;
  private static final float ZERO_BYTE = 128;
  private static final Vector SCALE = Vector.zmm(20);
  private static final Vector BIAS = Vector.zmm(21);

  private final ElementType type;
  private final BlockFormat format;
  private final int values;
  private final boolean split;
  private final KernelBuilder k = new KernelBuilder(2 * BIASES_AT);
  private final Assembler a = k.a;
  private final BlockReader reader = new BlockReader(k, WEIGHTS);

  private AmxPanelCode(ElementType type, int values, boolean split) {
    this.type = type;
    this.values = values;
    this.split = split;
    format = BlockFormat.of(type).orElse(null);
  }

  /** See {@link Layout#panelCode}; {@code values} is a multiple of 32. */
  static byte[] assemble(ElementType type, int values, boolean split) {
    return new AmxPanelCode(type, values, split).assemble();
  }

  private byte[] assemble() {
    if (format != null) {
      format.constants(reader);
    }
    k.loop(
        ROWS,
        () -> {
          a.mov(TARGET, PANEL);
          k.repeat(values / RECORD_VALUES, RECORDS, () -> record(RECORD_VALUES));
          record(values % RECORD_VALUES);
          a.add(PANEL, 64);
        });
    return k.finish();
  }

  private void record(int count) {
    int bytes = (int) type.rowBytes(count);
    int steps = count / AmxLayout.VALUES;
    for (int line = 0; line < bytes; line += 64) {
      a.prefetcht0(at(WEIGHTS, PREFETCH_BYTES + line));
    }
    if (format != null && format.blockValues() == RECORD_VALUES && count > 0) {
      reader.moveTo(0);
      superBlockScales();
    }
    for (int step = 0; step < steps; step++) {
      Address to = at(TARGET, step * STEP_BYTES);
      switch (type) {
        case BF16 -> {
          a.v(VMOVUPS, Bfloat16.ROUNDED, at(WEIGHTS, 64 * step));
          a.v(VMOVUPS, to, Bfloat16.ROUNDED);
        }
        case F16 -> {
          a.v(VCVTPH2PS, Bfloat16.FLOATS[0], at(WEIGHTS, 64 * step));
          a.v(VCVTPH2PS, Bfloat16.FLOATS[1], at(WEIGHTS, 64 * step + 32));
          round(to);
        }
        default -> {
          dequantize(step);
          round(to);
        }
      }
    }
    if (count > 0) {
      a.add(WEIGHTS, bytes);
      a.add(TARGET, steps * STEP_BYTES);
    }
  }

  private void round(Address to) {
    Bfloat16.round(a);
    a.v(VMOVUPS, to, Bfloat16.ROUNDED);
    if (split) {
      Bfloat16.subtractRounded(a);
      Bfloat16.round(a);
      a.v(VMOVUPS, to.plus(values / AmxLayout.VALUES * STEP_BYTES), Bfloat16.ROUNDED);
    }
  }

  /** 32 values as floats. */
  private void dequantize(int step) {
    boolean small = format.blockValues() == AmxLayout.VALUES;
    if (small) {
      reader.moveTo(step * format.blockBytes());
      smallBlockScale();
    }
    format.values(reader, small ? 0 : step, BlockReader.VALUES);
    Vector[] x = Bfloat16.FLOATS;
    a.v(VPMOVZXBD, x[0], BlockReader.VALUES.x());
    a.vi(VEXTRACTI128, 1, BlockReader.VALUES.x(), BlockReader.VALUES);
    a.v(VPMOVZXBD, x[1], BlockReader.VALUES.x());
    int scales = AmxLayout.VALUES / format.scaleValues();
    for (int half = 0; half < 2; half++) {
      a.v(VCVTDQ2PS, x[half], x[half]);
      int scale = 4 * (step * scales + half * (scales - 1));
      if (!small && half < scales) {
        a.v(VBROADCASTSS, SCALE, at(Gpr.RSP, scale));
      }
      Operand bias = small ? BIAS : at(Gpr.RSP, BIASES_AT + scale).toAll();
      a.v(VFMADD213PS, x[half], SCALE, bias);
    }
  }

  private void smallBlockScale() {
    reader.half(0, BlockReader.SCALES[0]);
    a.v(VBROADCASTSS, SCALE, BlockReader.SCALES[0].x());
    if (format.unit() != 1) {
      a.v(VMULPS, SCALE, SCALE, k.all(format.unit(), 512));
    }
    if (format.hasMinima()) {
      reader.half(2, BlockReader.MINIMA[0]);
      a.v(VBROADCASTSS, BIAS, BlockReader.MINIMA[0].x());
    } else {
      a.v(VMULPS, BIAS, SCALE, k.all(-ZERO_BYTE, 512));
    }
  }

  /** The block's scales to RSP, their biases behind them. */
  private void superBlockScales() {
    format.scales(reader);
    for (int i = 0; i < AmxLayout.VALUES / format.scaleValues(); i++) {
      Vector scale = BlockReader.SCALES[i];
      Vector bias = BlockReader.MINIMA[i];
      if (format.unit() != 1) {
        a.v(VMULPS, scale, scale, k.float8(format.unit()));
      }
      float factor = format.hasMinima() ? -1 : -ZERO_BYTE;
      a.v(VMULPS, bias, format.hasMinima() ? bias : scale, k.float8(factor));
      a.v(VMOVUPS, at(Gpr.RSP, 32 * i), scale);
      a.v(VMOVUPS, at(Gpr.RSP, BIASES_AT + 32 * i), bias);
    }
  }
}
