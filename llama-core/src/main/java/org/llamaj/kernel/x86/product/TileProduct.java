package org.llamaj.kernel.x86.product;

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
  private final MachineCode[] productCode;

  /** Where the tiles of the call at hand are; set by {@link Projector}. */
  final Scratch tiles = new Scratch();

  /** And where {@link SweepCode} finds them. */
  final TileTable table = new TileTable();

  private record Key(Layout layout, int tokens, boolean product) {}

  /** For one layout, with functions that are made when first asked for. */
  public TileProduct(Layout layout, CodeCache cache) {
    this.layout = layout;
    this.cache = cache;
    tileCode = new MachineCode[layout.mostTokens() + 1];
    productCode = new MachineCode[layout.mostTokens() + 1];
  }

  Layout layout() {
    return layout;
  }

  /** {@link Layout#tileCode}. */
  MachineCode tile(int tokens) {
    if (tileCode[tokens] == null) {
      tileCode[tokens] = cache.get(new Key(layout, tokens, false), () -> layout.tileCode(tokens));
    }
    return tileCode[tokens];
  }

  /** {@link Layout#productCode}. */
  MachineCode product(int tokens) {
    if (productCode[tokens] == null) {
      productCode[tokens] =
          cache.get(new Key(layout, tokens, true), () -> layout.productCode(tokens));
    }
    return productCode[tokens];
  }

  @Override
  public void close() {
    tiles.close();
    table.close();
  }
}
