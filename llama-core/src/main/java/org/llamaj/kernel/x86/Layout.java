package org.llamaj.kernel.x86;

import org.llamaj.tensor.ElementType;

/**
 * How weights and many rows of activations meet: some weight rows are brought into a panel, some
 * activation rows into a tile, each in an order that suits the instructions of the product. The
 * code for these three steps takes its arguments as {@link Projector} passes them.
 */
sealed interface Layout permits PanelFormat, FloatLayout, PairLayout, AmxLayout {

  /** Weight rows in a panel. */
  int panelRows();

  /** Most activation rows in a tile. */
  int mostTokens();

  /** Activation rows that cost no more than one: where possible, tiles are a multiple of it. */
  int tokenStep();

  /** What the code counts a row of so many values in. */
  int steps(int values);

  long panelBytes(int values);

  /** Bytes of panels that stay in a core's second-level cache, with a tile, while tiles pass by. */
  default int panelCacheBytes() {
    return 384 * 1024;
  }

  long tileBytes(int values, int tokens);

  /**
   * Makes a panel. Arguments: address of the first weight row, of the panel, number of weight rows
   * that exist, 1 to {@link #panelRows}.
   */
  byte[] panelCode(ElementType type, int values);

  /**
   * Makes a tile. Arguments: address of the first row's floats, of the tile, bytes between rows,
   * {@link #steps}.
   */
  byte[] tileCode(int tokens);

  /**
   * Multiplies a panel and a tile. Arguments: address of the panel, of the tile, of the first
   * result, {@link #steps}, bytes between the results of neighbouring activation rows, a bit for
   * each weight row whose results are wanted.
   */
  byte[] productCode(int tokens);
}
