package org.llamaj.checkpoint.synth;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.llamaj.LlamaException;

/** Shapes to choose from: those of published models, and small ones of each kind for tests. */
public enum ModelPreset {
  /** Llama 3.2 1B. */
  LLAMA_3_2_1B("llama-3.2-1b", 2048, 16, 32, 8, 64, 8192, 128_256, 131_072, 5e5, 32, true),
  /** Llama 3.2 3B. */
  LLAMA_3_2_3B("llama-3.2-3b", 3072, 28, 24, 8, 128, 8192, 128_256, 131_072, 5e5, 32, true),
  /** Llama 3.1 8B. */
  LLAMA_3_1_8B("llama-3.1-8b", 4096, 32, 32, 8, 128, 14_336, 128_256, 131_072, 5e5, 8, false),
  /** Llama 2 7B. */
  LLAMA_2_7B("llama-2-7b", 4096, 32, 32, 32, 128, 11_008, 32_000, 4096, 1e4, 1, false),
  /** A Llama 4 Scout of a third of its depth and less than half its width: 2.5 B parameters. */
  LLAMA_4_SCOUT_SMALL(
      new ModelShape(
          "llama-4-scout-small",
          "llama4",
          2048,
          16,
          16,
          4,
          128,
          4096,
          202_048,
          10_485_760,
          5e5,
          16,
          false,
          16,
          1,
          1024)),
  /** A dense model of a few megabytes. */
  TINY_DENSE("tiny-dense", 256, 4, 8, 2, 32, 768, 512, 2048, 5e5, 1, true),
  /** A mixture of eight experts of a few megabytes, two used. */
  TINY_MOE(
      new ModelShape(
          "tiny-moe", "llama", 256, 4, 8, 2, 32, 512, 512, 2048, 1e6, 1, false, 8, 2, 512));

  private final ModelShape shape;

  ModelPreset(ModelShape shape) {
    this.shape = shape;
  }

  ModelPreset(
      String name,
      int dim,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int feedForward,
      int vocabulary,
      int context,
      double ropeTheta,
      double ropeScaling,
      boolean tied) {
    this(
        new ModelShape(
            name,
            "llama",
            dim,
            layers,
            heads,
            kvHeads,
            headDim,
            feedForward,
            vocabulary,
            context,
            ropeTheta,
            ropeScaling,
            tied,
            0,
            0,
            0));
  }

  /**
   * The preset of this name.
   *
   * @param name for example {@code llama-3.2-1b}
   * @return the preset
   * @throws LlamaException if there is none of this name
   */
  public static ModelPreset of(String name) {
    return Arrays.stream(values())
        .filter(preset -> preset.shape.name().equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new LlamaException(
                    "expected one of the presets %s, found %s".formatted(names(), name)));
  }

  private static String names() {
    return Arrays.stream(values())
        .map(preset -> preset.shape.name())
        .collect(Collectors.joining(", "));
  }

  /** {@return the sizes} */
  public ModelShape shape() {
    return shape;
  }
}
