package org.llamaj.kernel.x86;

import org.llamaj.tensor.ElementType;

/** The code for weights of one type and row length. */
final class WeightCode {
  /** How far ahead weights are asked for: measured, it helps even where hardware does the same. */
  private static final int PREFETCH_BYTES = 4096;

  private final ElementType type;
  private final int inputs;
  private final BlockFormat format;
  private final boolean hasPanelFormat;
  private final Level level;
  private final CodeCache cache;
  private final TileProduct tileProduct;
  private final MachineCode[] gemv = new MachineCode[FloatGemvCode.MOST_TOKENS + 1];
  private MachineCode panel;
  private MachineCode unpack;

  private record Key(ElementType type, int inputs, String function) {}

  WeightCode(ElementType type, int inputs, Level level, TileProduct tileProduct, CodeCache cache) {
    this.type = type;
    this.inputs = inputs;
    this.level = level;
    this.tileProduct = tileProduct;
    this.cache = cache;
    format = BlockFormat.of(type).orElse(null);
    hasPanelFormat = panelFormat(type, level) != null;
  }

  /** Whether there is code for the type and the row length. */
  static boolean supports(ElementType type, int inputs) {
    return inputs % 16 == 0
        && (type == ElementType.F32
            || type == ElementType.F16
            || type == ElementType.BF16
            || BlockFormat.of(type).isPresent());
  }

  /** The layout in which quantised weights meet activations; null for floats. */
  static PanelFormat panelFormat(ElementType type, Level level) {
    return level == Level.AVX512VNNI
        ? BlockFormat.of(type).map(PanelFormat::of).orElse(null)
        : null;
  }

  /** Whether {@link #gemv} takes quantised activations. */
  boolean quantizes() {
    return format != null;
  }

  /** Most activation rows that {@link #gemv} takes at once. */
  int mostTokens() {
    return format == null ? FloatGemvCode.MOST_TOKENS : 1;
  }

  /** Most activation rows for which streaming is faster than making panels; measured. */
  int fewRows() {
    return hasPanelFormat ? 1 : 4;
  }

  TileProduct tileProduct() {
    return tileProduct;
  }

  /**
   * {@link WideGemvCode}, {@link GemvCode} or {@link FloatGemvCode}, for 1 to {@link #mostTokens}
   * activation rows.
   */
  MachineCode gemv(int tokens) {
    if (gemv[tokens] == null) {
      gemv[tokens] =
          cache.get(
              new Key(type, inputs, "gemv" + tokens),
              () ->
                  format == null
                      ? FloatGemvCode.assemble(
                          type, inputs, tokens, level.atLeast(Level.AVX512), PREFETCH_BYTES)
                      : level.atLeast(Level.AVX512VNNI)
                          ? WideGemvCode.assemble(format, inputs, PREFETCH_BYTES)
                          : GemvCode.assemble(format, inputs, PREFETCH_BYTES));
    }
    return gemv[tokens];
  }

  /** {@link PanelCode} or {@link FloatPanelCode}. */
  MachineCode panel() {
    if (panel == null) {
      panel =
          cache.get(
              new Key(type, inputs, "panel"),
              () ->
                  hasPanelFormat
                      ? PanelCode.assemble(format, inputs)
                      : FloatPanelCode.assemble(type, inputs, level.atLeast(Level.AVX512)));
    }
    return panel;
  }

  /** {@link UnpackCode}. */
  MachineCode unpack() {
    if (unpack == null) {
      unpack = cache.get(new Key(type, inputs, "unpack"), () -> UnpackCode.assemble(type, inputs));
    }
    return unpack;
  }
}
