package org.llamaj.vision.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.Picture;
import org.llamaj.kernel.Workers;
import org.llamaj.tokenizer.chat.ImageLayout;
import org.llamaj.tokenizer.chat.ImageTiling;
import org.llamaj.vision.golden.GoldenVision;
import tools.jackson.databind.JsonNode;

/** Decoding, resizing and cutting against what the reference implementations compute. */
class PreprocessingTest {
  private static final Workers WORKERS = new Workers(2);
  private static final Normalization LLAMA_4 =
      new Normalization(new float[] {.5f, .5f, .5f}, new float[] {.5f, .5f, .5f});
  private static final Normalization LLAMA_3 =
      new Normalization(
          new float[] {0.48145466f, 0.4578275f, 0.40821073f},
          new float[] {0.26862954f, 0.26130258f, 0.27577711f});

  @AfterAll
  static void close() {
    WORKERS.close();
  }

  static Stream<GoldenVision> llama4() {
    return GoldenVision.all("llama4-preprocess").stream();
  }

  static Stream<GoldenVision> mllama() {
    return GoldenVision.all("mllama-preprocess").stream();
  }

  @ParameterizedTest
  @MethodSource("llama4")
  void tilesOfLlama4(GoldenVision golden) {
    RgbImage image = image(golden);
    Tiles tiles =
        Tiles.cutWithWhole(
            image, golden.integer("tile"), golden.integer("max_tiles"), new Resampler(WORKERS));
    assertThat(tiles.tilesX()).isEqualTo(golden.integer("ratio_w"));
    assertThat(tiles.tilesY()).isEqualTo(golden.integer("ratio_h"));
    assertThat(tiles.images()).hasSize(golden.integer("num_tiles"));
    assertThat(normalized(tiles.images(), LLAMA_4)).isEqualTo(golden.floats("pixels"));
  }

  @ParameterizedTest
  @MethodSource("llama4")
  void tokensOfLlama4(GoldenVision golden) {
    int tile = golden.integer("tile");
    var layout =
        new ImageLayout.Tiles(tile, golden.integer("max_tiles"), (tile / 14) * (tile / 14) / 4);
    assertThat(layout.tokens(golden.integer("width"), golden.integer("height")))
        .isEqualTo(runs(golden.json().get("layout")));
  }

  @ParameterizedTest
  @MethodSource("mllama")
  void tilesOfLlama3(GoldenVision golden) {
    RgbImage image = image(golden);
    Tiles tiles =
        Tiles.cut(
            image, golden.integer("tile"), golden.integer("max_tiles"), new Resampler(WORKERS));
    if (golden.json().has("reference_fails")) {
      return; // a side of no pixels; here it has one
    }
    assertThat(tiles.tilesX()).isEqualTo(golden.integer("ratio_w"));
    assertThat(tiles.tilesY()).isEqualTo(golden.integer("ratio_h"));
    boolean transparent = golden.has("pixels_white");
    float[] expected = golden.floats(transparent ? "pixels_white" : "pixels");
    float[] found = normalized(tiles.images(), LLAMA_3);
    // The rest is tiles that are not used, all zero.
    float[] padded = java.util.Arrays.copyOf(found, expected.length);
    GoldenVision.assertClose(padded, expected, 1e-6, "pixels");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama4-preprocess/decisions-336-max16.json",
        "mllama-preprocess/decisions-448-max4.json",
        "mllama-preprocess/decisions-560-max4.json"
      })
  void decisions(String name) {
    Path file = GoldenVision.root().resolve(name);
    assertThat(file).exists();
    int tile = Integer.parseInt(name.replaceAll(".*decisions-(\\d+)-.*", "$1"));
    int maxTiles = Integer.parseInt(name.replaceAll(".*max(\\d+).*", "$1"));
    for (JsonNode decision : GoldenVision.read(file)) {
      int width = decision.get("width").asInt();
      int height = decision.get("height").asInt();
      if (decision.has("reference_fails")) {
        continue;
      }
      assertThat(ImageTiling.of(width, height, tile, maxTiles))
          .as("%d x %d", width, height)
          .isEqualTo(
              new ImageTiling(
                  decision.get("ratio_w").asInt(),
                  decision.get("ratio_h").asInt(),
                  Math.max(1, decision.get("resized_w").asInt()),
                  Math.max(1, decision.get("resized_h").asInt())));
      if (decision.has("layout")) {
        assertThat(ImageLayout.LLAMA_4.tokens(width, height))
            .isEqualTo(runs(decision.get("layout")));
      }
    }
  }

  /** Decoders of JPEG differ by a few grey levels: their result is tested apart. */
  private static RgbImage image(GoldenVision golden) {
    Path file =
        GoldenVision.root()
            .resolve("llama4-preprocess/images")
            .resolve(golden.json().get("image").asString());
    RgbImage image = ImageDecoder.decode(Picture.of(file));
    Path decoded = GoldenVision.root().resolve("llama4-preprocess").resolve(golden.toString());
    GoldenVision withPixels =
        Files.exists(decoded.resolve("case.json"))
            ? new GoldenVision(decoded, GoldenVision.read(decoded.resolve("case.json")))
            : golden;
    if (!withPixels.has("decoded")) {
      return image;
    }
    byte[] expected = withPixels.bytes("decoded").array();
    if (file.toString().endsWith(".png")) {
      assertThat(image.rgb()).isEqualTo(expected);
    } else {
      int[] differences = new int[256];
      for (int i = 0; i < expected.length; i++) {
        differences[Math.abs((image.rgb()[i] & 0xFF) - (expected[i] & 0xFF))]++;
      }
      int upTo4 = 0;
      for (int d = 0; d <= 4; d++) upTo4 += differences[d];
      assertThat(upTo4).isGreaterThan((int) (0.99 * expected.length));
    }
    return new RgbImage(image.width(), image.height(), expected);
  }

  private static float[] normalized(List<RgbImage> tiles, Normalization normalization) {
    int side = tiles.getFirst().width();
    float[] values = new float[tiles.size() * 3 * side * side];
    int at = 0;
    for (RgbImage tile : tiles) {
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < side; y++) {
          for (int x = 0; x < side; x++) {
            values[at++] = normalization.of(channel, tile.sample(x, y, channel));
          }
        }
      }
    }
    return values;
  }

  private static List<String> runs(JsonNode layout) {
    List<String> tokens = new java.util.ArrayList<>();
    for (JsonNode run : layout.get("runs")) {
      for (int i = 0; i < run.get(1).asInt(); i++) {
        tokens.add(run.get(0).asString());
      }
    }
    return tokens;
  }
}
