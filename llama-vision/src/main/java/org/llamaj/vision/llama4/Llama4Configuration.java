package org.llamaj.vision.llama4;

import java.util.Arrays;
import org.llamaj.LlamaException;

/**
 * The proportions of Llama 4's image encoder.
 *
 * @param tile width and height of a tile in pixels
 * @param patch width and height of a patch; half as many patches must fit into a tile
 * @param maxTiles how many tiles a picture has at most, the view of the whole not counted
 * @param dim width of the tower
 * @param wide width of its feed-forward networks and of four patches side by side, 4 x dim
 * @param heads attention heads
 * @param layers number of layers
 * @param adapterDim width of the adapter after the tower
 * @param normEps added to the variance in the norms
 * @param ropeTheta base of the rotary positions
 * @param mean of the samples, by channel
 * @param deviation of the samples, by channel
 */
record Llama4Configuration(
    int tile,
    int patch,
    int maxTiles,
    int dim,
    int wide,
    int heads,
    int layers,
    int adapterDim,
    float normEps,
    double ropeTheta,
    float[] mean,
    float[] deviation) {

  private static final int MOST = 1 << 16;

  Llama4Configuration {
    for (int number : new int[] {tile, patch, maxTiles, dim, wide, heads, layers, adapterDim}) {
      if (number < 1 || number > MOST) {
        throw wrong(
            "numbers from 1 to " + MOST,
            Arrays.toString(
                new int[] {tile, patch, maxTiles, dim, wide, heads, layers, adapterDim}));
      }
    }
    if (tile % (2 * patch) != 0) {
      throw wrong("tiles of an even number of patches", tile + " and " + patch);
    }
    if (dim % heads != 0 || dim / heads % 4 != 0) {
      throw wrong("heads of a multiple of 4 values", heads + " heads of " + dim);
    }
    if (wide != 4 * dim) {
      throw wrong("a feed-forward width of 4 x " + dim, wide);
    }
    if (mean.length != 3 || deviation.length != 3) {
      throw wrong("a mean and a deviation for each of 3 channels", mean.length);
    }
  }

  /** Patches in a row of a tile. */
  int grid() {
    return tile / patch;
  }

  /** Rows of a tile in the tower: its patches, then the class token. */
  int rowsPerTile() {
    return grid() * grid() + 1;
  }

  /** Rows of a tile that the language model reads: one for each four patches. */
  int tokensPerTile() {
    return grid() * grid() / 4;
  }

  private static LlamaException wrong(String expected, Object found) {
    return new LlamaException(
        "the image encoder of Llama 4: expected %s, found %s".formatted(expected, found));
  }
}
