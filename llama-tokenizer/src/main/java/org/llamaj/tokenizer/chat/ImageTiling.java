package org.llamaj.tokenizer.chat;

/**
 * How Llama 4 and Llama 3.2 Vision cut a picture into square tiles: the canvas of tiles that the
 * picture fills best, and the size it is scaled to before it is padded to that canvas.
 *
 * @param tilesX tiles in a row
 * @param tilesY rows of tiles
 * @param resizedWidth the picture's width on the canvas, in pixels
 * @param resizedHeight the picture's height on the canvas, in pixels
 */
public record ImageTiling(int tilesX, int tilesY, int resizedWidth, int resizedHeight) {
  /**
   * The tiling of a picture. Of the canvases that hold the picture without shrinking it the one
   * that enlarges it least is taken; if there is none, the one that shrinks it least; of equal ones
   * the smallest.
   *
   * @param width in pixels
   * @param height in pixels
   * @param tile width and height of a tile in pixels
   * @param maxTiles how many tiles it may have
   * @return the tiling
   */
  public static ImageTiling of(int width, int height, int tile, int maxTiles) {
    if (width < 1 || height < 1 || tile < 1 || maxTiles < 1) {
      throw new IllegalArgumentException(
          "Expected a picture, a tile and a number of tiles of at least 1, found %d x %d, %d, %d"
              .formatted(width, height, tile, maxTiles));
    }
    int bestX = 1;
    int bestY = 1;
    float best = scale(width, height, tile, 1, 1);
    for (int x = 1; x <= maxTiles; x++) {
      for (int y = 1; x * y <= maxTiles; y++) {
        float scale = scale(width, height, tile, x, y);
        boolean better =
            scale == best
                ? x * y < bestX * bestY
                : scale >= 1 ? best < 1 || scale < best : best < 1 && scale > best;
        if (better) {
          best = scale;
          bestX = x;
          bestY = y;
        }
      }
    }
    // A picture is enlarged to one tile at most.
    int targetWidth = Math.min(Math.max(width, tile), bestX * tile);
    int targetHeight = Math.min(Math.max(height, tile), bestY * tile);
    double scaleX = (double) targetWidth / width;
    double scaleY = (double) targetHeight / height;
    return scaleX < scaleY
        ? new ImageTiling(
            bestX, bestY, targetWidth, Math.clamp((int) (height * scaleX), 1, targetHeight))
        : new ImageTiling(
            bestX, bestY, Math.clamp((int) (width * scaleY), 1, targetWidth), targetHeight);
  }

  /**
   * The number of tiles.
   *
   * @return tiles in a row times rows
   */
  public int tiles() {
    return tilesX * tilesY;
  }

  /**
   * In single precision as the references compute it, so that equal scales tie as they do there.
   */
  private static float scale(int width, int height, int tile, int tilesX, int tilesY) {
    return Math.min((float) (tilesX * tile) / width, (float) (tilesY * tile) / height);
  }
}
