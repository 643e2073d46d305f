package org.llamaj.vision.mllama;

import java.util.Arrays;
import org.llamaj.LlamaException;

/**
 * The proportions of Llama 3.2 Vision's image encoder.
 *
 * @param tile width and height of a tile in pixels
 * @param patch width and height of a patch
 * @param maxTiles how many tiles a picture has at most
 * @param dim width of the tower
 * @param wide width of its feed-forward networks
 * @param heads attention heads
 * @param layers number of local layers
 * @param globalLayers number of gated layers after them
 * @param intermediate the local layers whose inputs are part of the features, ascending
 * @param normEps added to the variance in the norms
 * @param mean of the samples, by channel
 * @param deviation of the samples, by channel
 */
record MllamaConfiguration(
    int tile,
    int patch,
    int maxTiles,
    int dim,
    int wide,
    int heads,
    int layers,
    int globalLayers,
    int[] intermediate,
    float normEps,
    float[] mean,
    float[] deviation) {

  MllamaConfiguration {
    if (tile % patch != 0) {
      throw wrong("tiles of whole patches", tile + " and " + patch);
    }
    if (dim % heads != 0) {
      throw wrong("heads that divide the width", heads + " heads of " + dim);
    }
    for (int layer : intermediate) {
      if (layer < 0 || layer >= layers) {
        throw wrong("intermediate layers from 0 to " + (layers - 1), Arrays.toString(intermediate));
      }
    }
  }

  /** Patches in a row of a tile. */
  int grid() {
    return tile / patch;
  }

  /** The class token and the patches of a tile. */
  int tokensPerTile() {
    return grid() * grid() + 1;
  }

  /** The same with the rows that fill up to a multiple of 8. */
  int rowsPerTile() {
    return Math.ceilDiv(tokensPerTile(), 8) * 8;
  }

  /** Width of the features: the last state and the intermediate ones. */
  int features() {
    return dim * (1 + intermediate.length);
  }

  /**
   * The id of a canvas, by which embeddings are chosen: canvases of up to the most tiles, by height
   * first, from 1; 0 is none.
   */
  int aspectRatioId(int tilesX, int tilesY) {
    int id = 0;
    for (int y = 1; y <= maxTiles; y++) {
      for (int x = 1; x * y <= maxTiles; x++) {
        id++;
        if (x == tilesX && y == tilesY) {
          return id;
        }
      }
    }
    throw new IllegalArgumentException("no canvas of %d x %d tiles".formatted(tilesX, tilesY));
  }

  /** How many ids there are, 0 included. */
  int aspectRatios() {
    return aspectRatioId(1, maxTiles) + 1;
  }

  private static LlamaException wrong(String expected, Object found) {
    return new LlamaException(
        "the image encoder of Llama 3.2 Vision: expected %s, found %s".formatted(expected, found));
  }
}
