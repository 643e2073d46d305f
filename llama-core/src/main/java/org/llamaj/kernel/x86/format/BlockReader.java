package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI32X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPERMT2W;
import static org.llamaj.kernel.x86.assembler.Instruction.VPINSRW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVSXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHQDQ;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Mask;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;

/**
 * Where a {@link BlockFormat} finds the block and which registers it may use: all below 12, as AVX2
 * has no more than 16.
 */
public final class BlockReader {
  /** For the values at hand. */
  public static final Vector VALUES = Vector.ymm(0);

  /** Temporaries, changed by every step. */
  public static final Vector T0 = Vector.ymm(1);

  static final Vector T1 = Vector.ymm(2);
  static final Vector T2 = Vector.ymm(3);

  /** Scales, the first 8 and the second 8. */
  public static final Vector[] SCALES = {Vector.ymm(4), Vector.ymm(5)};

  /** Minima likewise. */
  public static final Vector[] MINIMA = {Vector.ymm(6), Vector.ymm(7)};

  /** Lanes 8 to 15; a wide kernel loads it. */
  public static final Mask UPPER_HALF = Mask.K1;

  private static final int FIRST_CONSTANT = 8;
  private static final int CONSTANTS = 4;
  private static final int FIRST_WIDE_CONSTANT = 24;

  final KernelBuilder kernel;
  final Assembler a;
  private final Gpr pointer;
  private int offset;

  /**
   * @param pointer register that points at the blocks
   */
  public BlockReader(KernelBuilder kernel, Gpr pointer) {
    this.kernel = kernel;
    this.a = kernel.a;
    this.pointer = pointer;
  }

  /** The block that is read from now on, by its distance from the pointer. */
  public void moveTo(int bytes) {
    offset = bytes;
  }

  /** A place in the block. */
  Address at(int bytes) {
    return Address.at(pointer, offset + bytes);
  }

  /** A register that keeps a constant throughout the kernel. */
  static Vector constant(int index) {
    if (index >= CONSTANTS) {
      throw new IllegalArgumentException("constant " + index);
    }
    return Vector.ymm(FIRST_CONSTANT + index);
  }

  /** Loads a constant of 32 bytes. */
  void load(int index, Address value) {
    a.v(VMOVUPS, constant(index), value);
  }

  /** A 512-bit register that keeps a constant throughout the kernel. */
  static Vector wideConstant(int index) {
    if (index >= CONSTANTS) {
      throw new IllegalArgumentException("wide constant " + index);
    }
    return Vector.zmm(FIRST_WIDE_CONSTANT + index);
  }

  /** Loads a wide constant: the same byte everywhere. */
  void loadWide(int index, int value) {
    a.v(VPBROADCASTD, wideConstant(index), kernel.bytes32(value));
  }

  /** Loads a wide constant: 16-bit numbers, the same for each 16 values. */
  void loadWide(int index, int first, int second, int third, int fourth) {
    int[] numbers = new int[16];
    int[] quarters = {first, second, third, fourth};
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = quarters[i / 4] * 0x10001;
    }
    a.v(VMOVUPS, wideConstant(index), kernel.ints(numbers));
  }

  /**
   * Half-precision numbers of up to 8 neighbouring blocks as floats; lanes without one are 0.
   *
   * @param bytes where the number lies in the first block
   */
  void halves(int bytes, int blockBytes, int count, Vector to) {
    int lastWord = (bytes + (count - 1) * blockBytes) / 2;
    if (count == 8 && lastWord < 64) {
      // Two instructions for all, where they lie within 128 bytes.
      int[] words = new int[16];
      for (int i = 0; i < 8; i++) {
        words[i / 2] |= (bytes + i * blockBytes) / 2 << 16 * (i % 2);
      }
      a.v(VMOVUPS, to.z(), at(0));
      a.v(VMOVUPS, T0.z(), kernel.ints(words));
      a.v(VPERMT2W, to.z(), T0.z(), at(64));
    } else {
      kernel.zero(to);
      for (int i = 0; i < count; i++) {
        a.vi(VPINSRW, i, to.x(), to.x(), at(bytes + i * blockBytes));
      }
    }
    a.v(VCVTPH2PS, to, to.x());
  }

  /** 16 bytes twice, and 16 from another place twice: 512 bits. AVX-512, {@link #UPPER_HALF}. */
  void twice(int first, int second, Vector to) {
    a.v(VBROADCASTI32X4, to, at(first));
    a.v(VBROADCASTI32X4, to.masked(UPPER_HALF), at(second));
  }

  /** A half-precision number of the block as float in all lanes. */
  public void half(int bytes, Vector to) {
    a.v(VPBROADCASTW, to.x(), at(bytes));
    a.v(VCVTPH2PS, to, to.x());
  }

  /**
   * 16 signed bytes as floats, times a factor, into two registers.
   *
   * @param bytes 128-bit register; changed
   * @param factor same in all lanes
   */
  void floats(Vector bytes, Vector[] to, Vector factor) {
    a.v(VPMOVSXBD, to[0], bytes.x());
    a.v(VPUNPCKHQDQ, bytes.x(), bytes.x(), bytes.x());
    a.v(VPMOVSXBD, to[1], bytes.x());
    for (Vector part : to) {
      a.v(VCVTDQ2PS, part, part);
      a.v(VMULPS, part, part, factor);
    }
  }
}
