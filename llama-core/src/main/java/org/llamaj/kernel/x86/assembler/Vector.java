package org.llamaj.kernel.x86.assembler;

/**
 * A vector register, as destination possibly with a mask that selects the lanes to write.
 *
 * @param number 0 to 31; from 16 on only with AVX-512
 * @param bits 128 (xmm), 256 (ymm) or 512 (zmm)
 * @param mask lanes to write; K0 for all
 * @param zeroing whether lanes outside the mask become zero rather than keep their value
 */
public record Vector(int number, int bits, Mask mask, boolean zeroing) implements Operand {

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
    return new Vector(number, 128, Mask.K0, false);
  }

  /**
   * @param number of the register
   * @return its 256-bit form
   */
  public static Vector ymm(int number) {
    return new Vector(number, 256, Mask.K0, false);
  }

  /**
   * @param number of the register
   * @return its 512-bit form
   */
  public static Vector zmm(int number) {
    return new Vector(number, 512, Mask.K0, false);
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
   * @return this register as a destination whose other lanes keep their value
   */
  public Vector merge(Mask lanes) {
    return new Vector(number, bits, lanes, false);
  }

  /**
   * @param lanes to write
   * @return this register as a destination whose other lanes become zero
   */
  public Vector zero(Mask lanes) {
    return new Vector(number, bits, lanes, true);
  }
}
