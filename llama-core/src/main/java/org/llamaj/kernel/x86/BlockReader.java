package org.llamaj.kernel.x86;

import static org.llamaj.kernel.x86.assembler.Instruction.VCVTDQ2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VCVTPH2PS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VMULPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTW;
import static org.llamaj.kernel.x86.assembler.Instruction.VPMOVSXBD;
import static org.llamaj.kernel.x86.assembler.Instruction.VPUNPCKHQDQ;

import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Vector;

/**
 * Where a {@link BlockFormat} finds the block and which registers it may use: all below 12, as AVX2
 * has no more than 16.
 */
final class BlockReader {
  static final Vector VALUES = Vector.ymm(0);

  /** Temporaries, changed by every step. */
  static final Vector T0 = Vector.ymm(1);

  static final Vector T1 = Vector.ymm(2);
  static final Vector T2 = Vector.ymm(3);

  /** Scales and minima, the first 8 and the second 8. */
  static final Vector[] SCALES = {Vector.ymm(4), Vector.ymm(5)};

  static final Vector[] MINIMA = {Vector.ymm(6), Vector.ymm(7)};

  private static final int FIRST_CONSTANT = 8;
  private static final int CONSTANTS = 4;

  final KernelBuilder kernel;
  final Assembler a;
  private final Gpr pointer;
  private int offset;

  /**
   * @param pointer register that points at the blocks
   */
  BlockReader(KernelBuilder kernel, Gpr pointer) {
    this.kernel = kernel;
    this.a = kernel.a;
    this.pointer = pointer;
  }

  /** The block that is read from now on, by its distance from the pointer. */
  void moveTo(int bytes) {
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

  /** A half-precision number of the block as float in all lanes. */
  void half(int bytes, Vector to) {
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
