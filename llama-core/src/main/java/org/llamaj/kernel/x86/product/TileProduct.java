package org.llamaj.kernel.x86.product;

import java.util.Arrays;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.Scratch;
import org.llamaj.kernel.x86.panel.Layout;
import org.llamaj.kernel.x86.panel.SweepCode;
import org.llamaj.kernel.x86.panel.TileTable;

/** The code for products of panels and tiles in one layout. */
public final class TileProduct implements AutoCloseable {
  private final Layout layout;
  private final CodeCache cache;
  private final MachineCode[] tileCode;

  /** By the lines they ask for ahead, and the rows of activations. */
  private MachineCode[][] productCode = {};

  /** Where the tiles of the call at hand are; set by {@link Projector}. */
  final Scratch tiles = new Scratch();

  /** And where {@link SweepCode} finds them. */
  final TileTable table = new TileTable();

  private record TileKey(Layout layout, int tokens) {}

  private record ProductKey(Layout layout, int tokens, int linesAhead) {}

  /** For one layout, with functions that are made when first asked for. */
  public TileProduct(Layout layout, CodeCache cache) {
    this.layout = layout;
    this.cache = cache;
    tileCode = new MachineCode[layout.mostTokens() + 1];
  }

  Layout layout() {
    return layout;
  }

  /** {@link Layout#tileCode}. */
  MachineCode tile(int tokens) {
    if (tileCode[tokens] == null) {
      tileCode[tokens] = cache.get(new TileKey(layout, tokens), () -> layout.tileCode(tokens));
    }
    return tileCode[tokens];
  }

  /** {@link Layout#productCode}. */
  MachineCode product(int tokens, int linesAhead) {
    if (productCode.length <= linesAhead) {
      int known = productCode.length;
      productCode = Arrays.copyOf(productCode, linesAhead + 1);
      for (int i = known; i < productCode.length; i++) {
        productCode[i] = new MachineCode[layout.mostTokens() + 1];
      }
    }
    MachineCode[] codes = productCode[linesAhead];
    if (codes[tokens] == null) {
      codes[tokens] =
          cache.get(
              new ProductKey(layout, tokens, linesAhead),
              () -> layout.productCode(tokens, linesAhead));
    }
    return codes[tokens];
  }

  @Override
  public void close() {
    tiles.close();
    table.close();
  }
}
