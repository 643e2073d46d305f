package org.llamaj.kernel.x86.panel;

import org.llamaj.tensor.ElementType;

/**
 * Weights of any type but F32 for AMX, as bfloat16. Everything is cut into tile registers of 16
 * rows of 64 bytes, which lie in memory without gaps (1 KiB, 16 cache lines):
 *
 * <ul>
 *   <li>a panel is 32 weight rows: for each 32 values, two registers [16 rows][32 values];
 *   <li>a tile is 16 or 32 activation rows: for each 16 of them, and each 32 values, a register [16
 *       pairs of values][16 rows][2], zero where there is no row.
 * </ul>
 *
 * <p>F16 has 11 bits of precision, bfloat16 has 8. So F16 weights, and the activations they meet,
 * are split into two parts: the rounded value, and the rounded rest, which for a weight is exact.
 * Three of the four products of parts are summed; what is missing, the fourth and the activation's
 * second rest, is at most 2^-15 of a product and a tenth of that typically, where bfloat16 alone is
 * off by 2^-7 at most. A panel then holds all first parts, then all second parts; so does a tile
 * for each 16 activation rows.
 *
 * @param split whether there are two parts
 */
public record AmxLayout(boolean split) implements WholePanels {
  /** Values of a row in a tile register. */
  static final int VALUES = 32;

  static final int REGISTER_BYTES = 1024;
  static final int REGISTER_ROWS = 16;
  static final int ROWS = 2 * REGISTER_ROWS;

  private int parts() {
    return split ? 2 : 1;
  }

  @Override
  public int panelRows() {
    return ROWS;
  }

  @Override
  public int mostTokens() {
    return 2 * REGISTER_ROWS;
  }

  @Override
  public int tokenStep() {
    return REGISTER_ROWS;
  }

  @Override
  public int steps(int values) {
    return values / VALUES;
  }

  @Override
  public long panelBytes(int values) {
    return (long) parts() * steps(values) * 2 * REGISTER_BYTES;
  }

  /** Processors with AMX have 2 MiB for each core. */
  @Override
  public int panelCacheBytes() {
    return 1024 * 1024;
  }

  @Override
  public long tileBytes(int values, int tokens) {
    return (long) parts() * steps(values) * registers(tokens) * REGISTER_BYTES;
  }

  /** How many registers so many activation rows take. */
  static int registers(int tokens) {
    return Math.ceilDiv(tokens, REGISTER_ROWS);
  }

  @Override
  public byte[] panelCode(ElementType type, int values) {
    return AmxPanelCode.assemble(type, values, split);
  }

  @Override
  public byte[] tileCode(int tokens) {
    return AmxTileCode.assemble(tokens, split);
  }

  @Override
  public byte[] productCode(int tokens, int linesAhead) {
    return AmxGemmCode.assemble(tokens, split);
  }
}
