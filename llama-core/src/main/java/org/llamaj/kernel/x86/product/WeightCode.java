package org.llamaj.kernel.x86.product;

import java.util.Optional;
import org.llamaj.kernel.x86.format.BlockFormat;
import org.llamaj.kernel.x86.format.UnpackCode;
import org.llamaj.kernel.x86.gemv.FloatGemvCode;
import org.llamaj.kernel.x86.gemv.GemvCode;
import org.llamaj.kernel.x86.gemv.WideGemvCode;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.panel.AmxLayout;
import org.llamaj.kernel.x86.panel.FloatLayout;
import org.llamaj.kernel.x86.panel.Layout;
import org.llamaj.kernel.x86.panel.PairLayout;
import org.llamaj.kernel.x86.panel.PanelFormat;
import org.llamaj.kernel.x86.panel.SweepCode;
import org.llamaj.kernel.x86.panel.WholePanels;
import org.llamaj.tensor.ElementType;

/** The code for weights of one type and row length. */
public final class WeightCode {
  /** How far ahead weights are asked for: measured, it helps even where hardware does the same. */
  private static final int PREFETCH_BYTES = 4096;

  private final ElementType type;
  private final int inputs;
  private final BlockFormat format;
  private final Level level;
  private final CodeCache cache;
  private final TileProduct tileProduct;
  private final MachineCode[] gemv;
  private MachineCode many;
  private MachineCode unpack;

  private record Key(ElementType type, int inputs, String function) {}

  /** For a type and row length that {@link #supports} and the level's {@link #layout}. */
  public WeightCode(
      ElementType type, int inputs, Level level, TileProduct tileProduct, CodeCache cache) {
    this.type = type;
    this.inputs = inputs;
    this.level = level;
    this.tileProduct = tileProduct;
    this.cache = cache;
    format = BlockFormat.of(type).orElse(null);
    gemv = new MachineCode[mostTokens() + 1];
  }

  /** Whether there is code for the type and the row length. */
  public static boolean supports(ElementType type, int inputs) {
    return inputs % 16 == 0
        && (type == ElementType.F32
            || type == ElementType.F16
            || type == ElementType.BF16
            || BlockFormat.of(type).isPresent());
  }

  /** The layout in which weights meet many rows of activations. */
  public static Layout layout(ElementType type, long outputs, int inputs, Level level) {
    if (level.has(Feature.AMX_BF16) && type != ElementType.F32 && inputs % 32 == 0) {
      return new AmxLayout(type == ElementType.F16);
    }
    if (level.has(Feature.AVX512_BF16) && type == ElementType.BF16 && inputs % 32 == 0) {
      return new PairLayout();
    }
    Optional<BlockFormat> format = BlockFormat.of(type);
    return format.isPresent() && level.has(Feature.AVX512_VNNI) && outputs >= SweepCode.LEAST_ROWS
        ? PanelFormat.of(format.get())
        : new FloatLayout(level.has(Feature.AVX512));
  }

  /** Whether {@link #gemv} takes quantised activations. */
  boolean quantizes() {
    return format != null;
  }

  /**
   * Most activation rows that {@link #gemv} takes at once; more are multiplied in panels, which is
   * faster in AVX-512 (with AVX2 it was not measured).
   */
  int mostTokens() {
    return format == null
        ? FloatGemvCode.MOST_TOKENS
        : wide() ? WideGemvCode.MOST_TOKENS : GemvCode.MOST_TOKENS;
  }

  private boolean wide() {
    return level.has(Feature.AVX512_VNNI);
  }

  /** {@link SweepCode#linesAhead}. */
  int linesAhead(int askingTiles) {
    return SweepCode.linesAhead(format, askingTiles);
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
                          type, inputs, tokens, level.has(Feature.AVX512), PREFETCH_BYTES)
                      : wide()
                          ? WideGemvCode.assemble(format, inputs, tokens, PREFETCH_BYTES)
                          : GemvCode.assemble(format, inputs, tokens, level, PREFETCH_BYTES));
    }
    return gemv[tokens];
  }

  /** For many activation rows: {@link WholePanels#panelCode} or {@link SweepCode}. */
  MachineCode many() {
    if (many == null) {
      Layout layout = tileProduct.layout();
      many =
          cache.get(
              new Key(type, inputs, layout.toString()),
              () ->
                  switch (layout) {
                    case WholePanels panels -> panels.panelCode(type, inputs);
                    case PanelFormat _ -> SweepCode.assemble(format, inputs);
                  });
    }
    return many;
  }

  /** {@link UnpackCode}. */
  public MachineCode unpack() {
    if (unpack == null) {
      unpack = cache.get(new Key(type, inputs, "unpack"), () -> UnpackCode.assemble(type, inputs));
    }
    return unpack;
  }
}
