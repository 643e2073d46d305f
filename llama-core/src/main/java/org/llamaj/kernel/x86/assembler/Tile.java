package org.llamaj.kernel.x86.assembler;

/**
 * A tile register of AMX: up to 16 rows of 64 bytes.
 *
 * @param number 0 to 7
 */
public record Tile(int number) implements Operand {

  /** Checks the number. */
  public Tile {
    if (number < 0 || number > 7) {
      throw new IllegalArgumentException("no tile register " + number);
    }
  }

  /**
   * @param number of the register
   * @return the register
   */
  public static Tile tmm(int number) {
    return new Tile(number);
  }
}
