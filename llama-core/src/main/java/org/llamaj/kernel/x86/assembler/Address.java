package org.llamaj.kernel.x86.assembler;

/**
 * A memory operand: base + index * scale + displacement, or a place in the code itself.
 *
 * @param base register, or null for a place in the code
 * @param index register (not RSP), or null
 * @param scale 1, 2, 4 or 8
 * @param displacement in bytes
 * @param label the place, if base is null
 * @param broadcast whether one element is read and given to all lanes (AVX-512)
 */
public record Address(
    Gpr base, Gpr index, int scale, int displacement, Label label, boolean broadcast)
    implements Operand {

  /** Checks that the hardware can form the address. */
  public Address {
    if ((base == null) == (label == null) || index == Gpr.RSP || Integer.bitCount(scale) != 1) {
      throw new IllegalArgumentException("no such address");
    }
  }

  /**
   * @param base register
   * @return the memory at base
   */
  public static Address at(Gpr base) {
    return at(base, 0);
  }

  /**
   * @param base register
   * @param displacement in bytes
   * @return the memory at base + displacement
   */
  public static Address at(Gpr base, int displacement) {
    return new Address(base, null, 1, displacement, null, false);
  }

  /**
   * @param base register
   * @param index register
   * @param scale 1, 2, 4 or 8
   * @param displacement in bytes
   * @return the memory at base + index * scale + displacement
   */
  public static Address at(Gpr base, Gpr index, int scale, int displacement) {
    return new Address(base, index, scale, displacement, null, false);
  }

  /**
   * @param label a place in the code, mostly of a constant
   * @return the memory there
   */
  public static Address at(Label label) {
    return new Address(null, null, 1, 0, label, false);
  }

  /**
   * @param bytes distance
   * @return the memory so much further on
   */
  public Address plus(int bytes) {
    return new Address(base, index, scale, displacement + bytes, label, broadcast);
  }

  /** {@return this address as an element given to all lanes} */
  public Address toAll() {
    return new Address(base, index, scale, displacement, label, true);
  }
}
