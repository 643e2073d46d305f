package org.llamaj.kernel.x86.format;

import static org.llamaj.kernel.x86.assembler.Instruction.VBROADCASTI32X4;
import static org.llamaj.kernel.x86.assembler.Instruction.VMOVUPS;
import static org.llamaj.kernel.x86.assembler.Instruction.VPBROADCASTD;

import java.util.Arrays;
import org.llamaj.kernel.x86.assembler.Address;
import org.llamaj.kernel.x86.assembler.Assembler;
import org.llamaj.kernel.x86.assembler.Gpr;
import org.llamaj.kernel.x86.assembler.Mask;
import org.llamaj.kernel.x86.assembler.Vector;
import org.llamaj.kernel.x86.code.KernelBuilder;
import org.llamaj.kernel.x86.code.Transpose;

/**
 * Sixteen neighbouring weight rows, for a {@link BlockFormat} whose values can be taken apart after
 * they have been turned: bytes of all rows are brought together first, as a panel has them ({@link
 * PanelFormat}), and unpacked there. AVX-512.
 */
public final class PanelRows {
  private static final int FIRST_CONSTANT = 8;
  private static final int CONSTANTS = 4;

  /** The second, third and fourth quarter of a register. */
  private static final Mask[] QUARTERS = {Mask.K2, Mask.K3, Mask.K4};

  final KernelBuilder kernel;
  final Assembler a;
  private final Gpr row;
  private final int rowBytes;
  private final Gpr panel;
  private final int panelBlockBytes;

  /**
   * @param row register that points at the first row's block
   * @param panel register that points at the panel's block
   */
  public PanelRows(KernelBuilder kernel, Gpr row, int rowBytes, Gpr panel, int panelBlockBytes) {
    this.kernel = kernel;
    this.a = kernel.a;
    this.row = row;
    this.rowBytes = rowBytes;
    this.panel = panel;
    this.panelBlockBytes = panelBlockBytes;
  }

  /** Emits what {@link #turn} needs once in a kernel. */
  public void loadMasks(Gpr temporary) {
    for (int i = 0; i < QUARTERS.length; i++) {
      a.mov(temporary, 0xF0L << 4 * i);
      a.kmovq(QUARTERS[i], temporary);
    }
  }

  /** A register that keeps a constant while rows are unpacked. */
  static Vector constant(int index) {
    if (index >= CONSTANTS) {
      throw new IllegalArgumentException("constant " + index);
    }
    return Vector.zmm(FIRST_CONSTANT + index);
  }

  /** Loads a constant: the same byte everywhere. */
  void load(int index, int value) {
    a.v(VPBROADCASTD, constant(index), kernel.bytes32(value));
  }

  /** Loads a constant: the same 16 bytes in each quarter. */
  void load(int index, byte[] quarter) {
    a.v(VBROADCASTI32X4, constant(index), kernel.bytes32(quarter));
  }

  /**
   * Takes 16 bytes of each row: register i gets four of each row, from 4i on.
   *
   * @param bytes where they lie in the block
   * @param first of the four registers, from 16 on; the four after them are changed
   */
  Vector[] turn(int bytes, int first) {
    Vector[] fours = new Vector[4];
    Vector[] others = new Vector[4];
    Arrays.setAll(fours, i -> Vector.zmm(first + i));
    Arrays.setAll(others, i -> Vector.zmm(first + 4 + i));
    for (int i = 0; i < 4; i++) {
      a.v(VBROADCASTI32X4, fours[i], at(i, bytes));
      for (int quarter = 1; quarter < 4; quarter++) {
        a.v(VBROADCASTI32X4, fours[i].masked(QUARTERS[quarter - 1]), at(4 * quarter + i, bytes));
      }
    }
    Transpose.quarters(a, fours, others);
    return fours;
  }

  private Address at(int index, int bytes) {
    return Address.at(row, index * rowBytes + bytes);
  }

  /**
   * Puts a register into the panel.
   *
   * @param block which block of 32 values, counted from the one at hand
   * @param four which 4 of its values
   */
  void put(int block, int four, Vector values) {
    a.v(VMOVUPS, Address.at(panel, block * panelBlockBytes + 64 * four), values);
  }
}
