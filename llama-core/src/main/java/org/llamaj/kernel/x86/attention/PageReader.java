package org.llamaj.kernel.x86.attention;

/**
 * How {@link AttentionCode} gets keys and values out of cache pages of one type: emits the passes
 * over a page, in which each vector of cached values is brought into registers as floats once, for
 * all queries.
 */
interface PageReader {

  /** What is done with cached values that have been loaded. */
  @FunctionalInterface
  interface Product {
    /**
     * Emits it.
     *
     * @param parts how many registers are loaded
     * @param offset of the queries' operand, from the register for it
     */
    void add(int parts, int offset);
  }

  /** Emits what is done once per page, with its keys and values still to come. */
  void begin();

  /**
   * Emits a pass over the components of keys.
   *
   * @param slot the first of the tokens, as many as the registers take
   * @param parts registers for them
   * @param operandBytes how far a component is from the next in the operand
   */
  void keys(int slot, int parts, int operandBytes, Product product);

  /**
   * Emits a pass over the values of a page's tokens.
   *
   * @param column the first of the components, as many as the registers take
   * @param parts registers for them
   * @param operandBytes how far a token is from the next in the operand
   */
  void values(int column, int parts, int operandBytes, Product product);
}
