package org.llamaj.vision.llama4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.GgufReader;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.vision.golden.GoldenVision;
import org.llamaj.vision.golden.UsableKernels;

/** The encoder, step by step, against the reference implementation. */
class Llama4EncoderTest {
  private static final double TOLERANCE = 1e-4;
  private static final String F16 = "mmproj-f16-apn.gguf";

  /** The second one is not committed. */
  private static final List<String> FILES =
      Files.exists(folder().resolve("mmproj-f32.gguf"))
          ? List.of(F16, "mmproj-f32.gguf")
          : List.of(F16);

  static Stream<Arguments> cases() {
    List<Arguments> all = new ArrayList<>();
    for (KernelProvider kernels : UsableKernels.all()) {
      for (String file : FILES) {
        for (GoldenVision golden : GoldenVision.all("llama4-vision-tiny/expected")) {
          all.add(Arguments.of(golden, file, kernels));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest(name = "{0} with {1} on {2}")
  @MethodSource("cases")
  void stepsOfTheEncoder(GoldenVision golden, String file, KernelProvider provider) {
    try (Workers workers = new Workers(2);
        Kernels kernels = provider.open(workers);
        Checkpoint checkpoint = open(file);
        Llama4Encoder encoder = encoder(checkpoint, 64, kernels, workers);
        Arena arena = Arena.ofShared()) {
      FloatMatrix patches = patches(golden.floats("pixels"), 84, 14, arena);
      FloatMatrix x = encoder.tower(patches, () -> false, arena);
      int tiles = patches.rows() / 36;
      if (golden.has("encoder_out")) {
        float[] out = new float[tiles * 36 * 64];
        for (int tile = 0; tile < tiles; tile++) {
          System.arraycopy(floats(x.rows(tile * 37, 36)), 0, out, tile * 36 * 64, 36 * 64);
        }
        GoldenVision.assertClose(out, golden.floats("encoder_out"), TOLERANCE, "encoder_out");
      }
      float[] projected = floats(encoder.project(x, arena));
      GoldenVision.assertClose(projected, golden.floats("projected"), TOLERANCE, "projected");
    }
  }

  @Test
  void canBeCancelled() {
    KernelProvider scalar = UsableKernels.scalar();
    try (Workers workers = new Workers(1);
        Kernels kernels = scalar.open(workers);
        Checkpoint checkpoint = open(F16);
        Llama4Encoder encoder = encoder(checkpoint, 64, kernels, workers);
        Arena arena = Arena.ofShared()) {
      FloatMatrix patches = FloatMatrix.allocate(arena, 36, 588);
      assertThatThrownBy(() -> encoder.tower(patches, () -> true, arena))
          .isInstanceOf(CancellationException.class);
    }
  }

  @Test
  void refusesAnotherWidthOfTheLanguageModel() {
    KernelProvider scalar = UsableKernels.scalar();
    try (Workers workers = new Workers(1);
        Kernels kernels = scalar.open(workers);
        Checkpoint checkpoint = open(F16)) {
      assertThatThrownBy(() -> encoder(checkpoint, 80, kernels, workers))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining(F16)
          .hasMessageContaining("mm.model.fc.weight")
          .hasMessageContaining("[80, 96]");
      assertThat(kernels).isNotNull();
    }
  }

  private static Checkpoint open(String file) {
    return GgufReader.open(folder().resolve(file));
  }

  private static Path folder() {
    return GoldenVision.root().resolve("llama4-vision-tiny/gguf");
  }

  private static Llama4Encoder encoder(
      Checkpoint checkpoint, int dim, Kernels kernels, Workers workers) {
    return (Llama4Encoder) Llama4Vision.open(checkpoint, dim, kernels, workers);
  }

  /** Pixels [tile][channel][y][x] as rows of patches. */
  static FloatMatrix patches(float[] pixels, int tile, int patch, Arena arena) {
    int grid = tile / patch;
    int tiles = pixels.length / (3 * tile * tile);
    FloatMatrix rows = FloatMatrix.allocate(arena, tiles * grid * grid, 3 * patch * patch);
    for (int i = 0; i < pixels.length; i++) {
      int x = i % tile;
      int y = i / tile % tile;
      int channel = i / (tile * tile) % 3;
      int t = i / (3 * tile * tile);
      int row = t * grid * grid + y / patch * grid + x / patch;
      rows.set(row, (channel * patch + y % patch) * patch + x % patch, pixels[i]);
    }
    return rows;
  }

  static float[] floats(FloatMatrix matrix) {
    return matrix.data().toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
  }
}
