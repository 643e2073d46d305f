package org.llamaj.kernel.x86.panel;

import org.llamaj.kernel.x86.format.BlockFormat;

/**
 * The layout in which quantised weights and activations meet in {@link GemmCode}. Both are
 * sequences of blocks of 32 values, and of panels there are never more than 256 values at a time
 * ({@link SweepCode}).
 *
 * <p>A panel block holds 16 weight rows: 8 registers with 4 neighbouring values of each row as
 * unsigned bytes; the rows' scales (16 floats), once or for each 16 values; then the minima, if
 * any, negated likewise.
 *
 * <p>A tile block holds T activation rows: 8 x T x 4 neighbouring values as signed bytes; T scales;
 * then T terms for each scale of the weights: with minima, scale times sum of the values (floats);
 * without, -128 times the sum of the quantised values (ints).
 *
 * @param scales 1, or 2 if weights have a scale for each 16 values
 * @param minima whether weights have minima
 */
public record PanelFormat(int scales, boolean minima) implements Layout {
  /** Weight rows in a panel. */
  public static final int ROWS = 16;

  static final int PANEL_SCALES = 32 * ROWS;

  /** The layout for weights of a format. */
  public static PanelFormat of(BlockFormat format) {
    return new PanelFormat(32 / format.scaleValues(), format.hasMinima());
  }

  @Override
  public int mostTokens() {
    return GemmCode.MOST_TOKENS;
  }

  @Override
  public int tokenStep() {
    return 1;
  }

  @Override
  public int steps(int values) {
    return values / 32;
  }

  @Override
  public long tileBytes(int values, int tokens) {
    return (long) tileBlockBytes(tokens) * steps(values);
  }

  @Override
  public byte[] tileCode(int tokens) {
    return TileCode.assemble(this, tokens);
  }

  /** {@inheritDoc} A subroutine of {@link SweepCode}. */
  @Override
  public byte[] productCode(int tokens, int linesAhead) {
    return GemmCode.assemble(this, tokens, linesAhead);
  }

  int panelMinima() {
    return PANEL_SCALES + 4 * ROWS * scales;
  }

  int panelBlockBytes() {
    return panelMinima() + (minima ? 4 * ROWS * scales : 0);
  }

  int tileScales(int tokens) {
    return 32 * tokens;
  }

  int tileTerms(int tokens) {
    return 36 * tokens;
  }

  int tileBlockBytes(int tokens) {
    return (36 + 4 * scales) * tokens;
  }
}
