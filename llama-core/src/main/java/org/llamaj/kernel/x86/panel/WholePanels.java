package org.llamaj.kernel.x86.panel;

import org.llamaj.tensor.ElementType;

/** Layouts whose panels take whole weight rows, and then meet all tiles. */
public sealed interface WholePanels extends Layout permits FloatLayout, PairLayout, AmxLayout {

  /** Weight rows in a panel. */
  int panelRows();

  long panelBytes(int values);

  /** Bytes of panels that stay in a core's second-level cache, with a tile, while tiles pass by. */
  default int panelCacheBytes() {
    return 384 * 1024;
  }

  /**
   * Makes a panel. Arguments: address of the first weight row, of the panel, number of weight rows
   * that exist, 1 to {@link #panelRows}.
   */
  byte[] panelCode(ElementType type, int values);

  /**
   * {@inheritDoc} Arguments: address of the panel, of the tile, of the first result, {@link
   * #steps}, bytes between the results of neighbouring activation rows, a bit for each weight row
   * whose results are wanted.
   */
  @Override
  byte[] productCode(int tokens, int linesAhead);
}
