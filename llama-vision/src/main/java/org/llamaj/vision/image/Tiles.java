package org.llamaj.vision.image;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.tokenizer.chat.ImageTiling;

/**
 * A picture cut into square tiles.
 *
 * @param tilesX tiles in a row
 * @param tilesY rows of tiles
 * @param images the tiles row by row; where the family wants it, the whole picture at the end
 */
public record Tiles(int tilesX, int tilesY, List<RgbImage> images) {

  /**
   * Scales a picture to fill a canvas of tiles as well as it can, puts it at the canvas's top left
   * on black, and cuts the canvas.
   *
   * @param image any size
   * @param tile width and height of a tile
   * @param maxTiles how many tiles a canvas has at most
   * @param resampler resizes
   * @return the tiles
   */
  public static Tiles cut(RgbImage image, int tile, int maxTiles, Resampler resampler) {
    ImageTiling tiling = ImageTiling.of(image.width(), image.height(), tile, maxTiles);
    RgbImage canvas =
        resampler
            .resize(image, tiling.resizedWidth(), tiling.resizedHeight())
            .onCanvas(tiling.tilesX() * tile, tiling.tilesY() * tile);
    List<RgbImage> tiles = new ArrayList<>();
    for (int y = 0; y < tiling.tilesY(); y++) {
      for (int x = 0; x < tiling.tilesX(); x++) {
        tiles.add(canvas.part(x * tile, y * tile, tile, tile));
      }
    }
    return new Tiles(tiling.tilesX(), tiling.tilesY(), tiles);
  }

  /**
   * As {@link #cut}, with a view of the whole picture at the end if there are several tiles: scaled
   * to one tile whatever its proportions (Llama 4).
   *
   * @param image any size
   * @param tile width and height of a tile
   * @param maxTiles how many tiles a canvas has at most
   * @param resampler resizes
   * @return the tiles
   */
  public static Tiles cutWithWhole(RgbImage image, int tile, int maxTiles, Resampler resampler) {
    Tiles tiles = cut(image, tile, maxTiles, resampler);
    if (tiles.images.size() == 1) {
      return tiles;
    }
    List<RgbImage> all = new ArrayList<>(tiles.images);
    all.add(resampler.resize(image, tile, tile));
    return new Tiles(tiles.tilesX, tiles.tilesY, all);
  }
}
