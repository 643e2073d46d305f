package org.llamaj.kernel.x86;

/**
 * The code for products of panels and tiles in one layout: integers in a {@link PanelFormat}, or
 * floats.
 */
final class TileProduct {
  private final PanelFormat format;
  private final boolean avx512;
  private final CodeCache cache;
  private final MachineCode[] tileCode;
  private final MachineCode[] productCode;

  /** Where the tiles of the call at hand are; set by {@link Projector}. */
  final Scratch tiles = new Scratch();

  private record Key(PanelFormat format, int tokens, boolean product) {}

  /**
   * @param format of integers; null for floats
   */
  TileProduct(PanelFormat format, boolean avx512, CodeCache cache) {
    this.format = format;
    this.avx512 = avx512;
    this.cache = cache;
    tileCode = new MachineCode[mostTokens() + 1];
    productCode = new MachineCode[mostTokens() + 1];
  }

  /** Most rows in a tile. */
  int mostTokens() {
    return format == null ? FloatGemmCode.mostTokens(avx512) : GemmCode.MOST_TOKENS;
  }

  /** What the code counts a row of so many values in. */
  int steps(int values) {
    return format == null ? values : values / 32;
  }

  long tileBytes(int values, int tokens) {
    return format == null
        ? 4L * values * tokens
        : (long) format.tileBlockBytes(tokens) * (values / 32);
  }

  long panelBytes(int values) {
    return format == null
        ? 4L * values * PanelFormat.ROWS
        : (long) format.panelBlockBytes() * (values / 32);
  }

  /** {@link TileCode} or {@link FloatTileCode}. */
  MachineCode tile(int tokens) {
    if (tileCode[tokens] == null) {
      tileCode[tokens] =
          cache.get(
              new Key(format, tokens, false),
              () ->
                  format == null
                      ? FloatTileCode.assemble(tokens)
                      : TileCode.assemble(format, tokens));
    }
    return tileCode[tokens];
  }

  /** {@link GemmCode} or {@link FloatGemmCode}. */
  MachineCode product(int tokens) {
    if (productCode[tokens] == null) {
      productCode[tokens] =
          cache.get(
              new Key(format, tokens, true),
              () ->
                  format == null
                      ? FloatGemmCode.assemble(tokens, avx512)
                      : GemmCode.assemble(format, tokens));
    }
    return productCode[tokens];
  }
}
