package org.llamaj.tokenizer.chat;

/**
 * How Llama 4 cuts a picture into tiles of 336 x 336 pixels: the canvas of tiles that the picture
 * fills best, and the size it is scaled to before it is padded to that canvas.
 *
 * @param tilesX tiles in a row
 * @param tilesY rows of tiles
 * @param resizedWidth the picture's width on the canvas, in pixels
 * @param resizedHeight the picture's height on the canvas, in pixels
 */
public record Llama4Tiling(int tilesX, int tilesY, int resizedWidth, int resizedHeight) {
  /** The width and height of a tile in pixels. */
  public static final int TILE = 336;

  /** How many tiles a picture has at most, unless told otherwise. */
  public static final int MAX_TILES = 16;

  /**
   * The tiling of a picture, with at most {@link #MAX_TILES} tiles.
   *
   * @param width in pixels
   * @param height in pixels
   * @return the tiling
   */
  public static Llama4Tiling of(int width, int height) {
    return of(width, height, MAX_TILES);
  }

  /**
   * The tiling of a picture. Of the canvases that hold the picture without shrinking it the one
   * that enlarges it least is taken; if there is none, the one that shrinks it least; of equal ones
   * the smallest.
   *
   * @param width in pixels
   * @param height in pixels
   * @param maxTiles how many tiles it may have
   * @return the tiling
   */
  public static Llama4Tiling of(int width, int height, int maxTiles) {
    if (width < 1 || height < 1 || maxTiles < 1) {
      throw new IllegalArgumentException(
          "Expected a size and a number of tiles of at least 1, found %d x %d, %d"
              .formatted(width, height, maxTiles));
    }
    int bestX = 1;
    int bestY = 1;
    double best = scale(width, height, 1, 1);
    for (int x = 1; x <= maxTiles; x++) {
      for (int y = 1; x * y <= maxTiles; y++) {
        double scale = scale(width, height, x, y);
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
    int targetWidth = Math.min(Math.max(width, TILE), bestX * TILE);
    int targetHeight = Math.min(Math.max(height, TILE), bestY * TILE);
    double scaleX = (double) targetWidth / width;
    double scaleY = (double) targetHeight / height;
    return scaleX < scaleY
        ? new Llama4Tiling(
            bestX, bestY, targetWidth, Math.min((int) (height * scaleX), targetHeight))
        : new Llama4Tiling(
            bestX, bestY, Math.min((int) (width * scaleY), targetWidth), targetHeight);
  }

  /**
   * The number of tiles.
   *
   * @return tiles in a row times rows
   */
  public int tiles() {
    return tilesX * tilesY;
  }

  private static double scale(int width, int height, int tilesX, int tilesY) {
    return Math.min((double) tilesX * TILE / width, (double) tilesY * TILE / height);
  }
}
