package org.llamaj.kernel.x86.assembler;

/**
 * A vector register, as destination possibly with a mask that selects the lanes to write.
 *
 * @param number 0 to 31; from 16 on only with AVX-512
 * @param bits 128 (xmm), 256 (ymm) or 512 (zmm)
 * @param mask lanes to write; K0 for all
 */
public record Vector(int number, int bits, Mask mask) implements Operand {

  /** Checks number and width. */
  public Vector {
    if (number < 0 || number > 31 || (bits != 128 && bits != 256 && bits != 512)) {
      throw new IllegalArgumentException("no vector register " + number + " of " + bits + " bits");
    }
  }

  /**
   * @param number of the register
   * @return its 128-bit form
   */
  public static Vector xmm(int number) {
    return new Vector(number, 128, Mask.K0);
  }

  /**
   * @param number of the register
   * @return its 256-bit form
   */
  public static Vector ymm(int number) {
    return new Vector(number, 256, Mask.K0);
  }

  /**
   * @param number of the register
   * @return its 512-bit form
   */
  public static Vector zmm(int number) {
    return new Vector(number, 512, Mask.K0);
  }

  /** {@return the low 128 bits of this register} */
  public Vector x() {
    return xmm(number);
  }

  /** {@return the low 256 bits of this register} */
  public Vector y() {
    return ymm(number);
  }

  /** {@return all 512 bits of this register} */
  public Vector z() {
    return zmm(number);
  }

  /**
   * @param lanes to write
   * @return this register as a destination whose other lanes keep their value, or as the source of
   *     a store that leaves the memory of other lanes alone
   */
  public Vector masked(Mask lanes) {
    return new Vector(number, bits, lanes);
  }
}
