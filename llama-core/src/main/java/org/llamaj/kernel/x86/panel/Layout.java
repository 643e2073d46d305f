package org.llamaj.kernel.x86.panel;

/**
 * How weights and many rows of activations meet: some weight rows are brought into a panel, some
 * activation rows into a tile, each in an order that suits the instructions of the product. The
 * code takes its arguments as {@code Projector} passes them.
 */
public sealed interface Layout permits WholePanels, PanelFormat {

  /** Most activation rows in a tile. */
  int mostTokens();

  /** Activation rows that cost no more than one: where possible, tiles are a multiple of it. */
  int tokenStep();

  /** What the code counts a row of so many values in. */
  int steps(int values);

  long tileBytes(int values, int tokens);

  /**
   * Makes a tile. Arguments: address of the first row's floats, of the tile, bytes between rows,
   * {@link #steps}.
   */
  byte[] tileCode(int tokens);

  /**
   * Multiplies a panel and a tile.
   *
   * @param linesAhead how many cache lines of weights to ask for with each block, where the layout
   *     has such code; else 0
   */
  byte[] productCode(int tokens, int linesAhead);
}
