package org.llamaj.vision.encoder;

import org.llamaj.tensor.FloatMatrix;
import org.llamaj.vision.image.Normalization;
import org.llamaj.vision.image.RgbImage;

/** Cuts tiles into the patches that a vision transformer takes for words. */
public final class Patches {
  private Patches() {}

  /**
   * Writes the patches of a tile, row by row, each as [channel][y][x].
   *
   * @param tile a square picture
   * @param patch width and height of a patch; divides the tile's
   * @param normalization of the samples
   * @param rows receives them, rows of 3 patch^2 values
   * @param firstRow row of the first patch
   */
  public static void write(
      RgbImage tile, int patch, Normalization normalization, FloatMatrix rows, int firstRow) {
    int grid = tile.width() / patch;
    float[] values = new float[3 * patch * patch];
    for (int index = 0; index < grid * grid; index++) {
      int left = index % grid * patch;
      int top = index / grid * patch;
      int at = 0;
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < patch; y++) {
          for (int x = 0; x < patch; x++) {
            values[at++] = normalization.of(channel, tile.sample(left + x, top + y, channel));
          }
        }
      }
      rows.setRow(firstRow + index, values);
    }
  }
}
