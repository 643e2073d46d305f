package org.llamaj.vision.llama4;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.llamaj.Picture;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Workers;
import org.llamaj.spi.MediaEncoder;
import org.llamaj.spi.MediaEncoding;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ImageLayout;
import org.llamaj.vision.encoder.Patches;
import org.llamaj.vision.encoder.TowerBlock;
import org.llamaj.vision.encoder.TowerPass;
import org.llamaj.vision.image.ImageDecoder;
import org.llamaj.vision.image.Normalization;
import org.llamaj.vision.image.Resampler;
import org.llamaj.vision.image.RgbImage;
import org.llamaj.vision.image.Tiles;

/**
 * The image encoder of Llama 4: a vision transformer over the patches of each tile, four
 * neighbouring patches made one token (pixel shuffle), an adapter of two layers, and a projection
 * to the width of the language model. As {@code Llama4VisionModel} of the transformers library.
 */
final class Llama4Encoder implements MediaEncoder {

  /** How many tiles go through the tower together; more would only take more memory. */
  private static final int TILES_AT_ONCE = 4;

  private final Llama4Configuration c;
  private final Llama4Weights weights;
  private final Kernels kernels;
  private final Arena arena;
  private final Resampler resampler;
  private final Normalization normalization;
  private final ImageLayout.Tiles layout;

  /**
   * @param configuration proportions
   * @param weights the tensors, made by the kernels
   * @param kernels the arithmetic
   * @param workers the threads of the kernels
   * @param arena owns tables of the weights; closed with the encoder
   */
  Llama4Encoder(
      Llama4Configuration configuration,
      Llama4Weights weights,
      Kernels kernels,
      Workers workers,
      Arena arena) {
    c = configuration;
    this.weights = weights;
    this.kernels = kernels;
    this.arena = arena;
    resampler = new Resampler(workers);
    normalization = new Normalization(c.mean(), c.deviation());
    layout = new ImageLayout.Tiles(c.tile(), c.maxTiles(), c.tokensPerTile());
  }

  @Override
  public ImageLayout layout() {
    return layout;
  }

  @Override
  public Content.Image look(Picture picture) {
    ImageDecoder.Size size = ImageDecoder.size(picture);
    return new Content.Image(size.width(), size.height(), picture);
  }

  @Override
  public MediaEncoding encode(Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
    int maxTiles = ((ImageLayout.Tiles) layout).maxTiles();
    RgbImage image = ImageDecoder.decode(picture);
    Tiles tiles = Tiles.cutWithWhole(image, c.tile(), maxTiles, resampler);
    return new MediaEncoding.EmbeddingRows(encode(tiles.images(), cancelled));
  }

  /**
   * Encodes tiles.
   *
   * @return [tiles x tokensPerTile, width of the language model], on the heap
   */
  FloatMatrix encode(List<RgbImage> tiles, BooleanSupplier cancelled) {
    int tokens = c.tokensPerTile();
    int columns = weights.projection().outputs();
    float[] values = new float[Math.multiplyExact(tiles.size() * tokens, columns)];
    FloatMatrix result =
        new FloatMatrix(MemorySegment.ofArray(values), tiles.size() * tokens, columns);
    for (int first = 0; first < tiles.size(); first += TILES_AT_ONCE) {
      List<RgbImage> some = tiles.subList(first, Math.min(tiles.size(), first + TILES_AT_ONCE));
      try (Arena scratch = Arena.ofShared()) {
        FloatMatrix rows = project(tower(patches(some, scratch), cancelled, scratch), scratch);
        result.rows(first * tokens, some.size() * tokens).data().copyFrom(rows.data());
      }
    }
    return result;
  }

  private FloatMatrix patches(List<RgbImage> tiles, Arena scratch) {
    int perTile = c.grid() * c.grid();
    FloatMatrix patches =
        FloatMatrix.allocate(scratch, tiles.size() * perTile, 3 * c.patch() * c.patch());
    for (int i = 0; i < tiles.size(); i++) {
      Patches.write(tiles.get(i), c.patch(), normalization, patches, i * perTile);
    }
    return patches;
  }

  /**
   * The tower.
   *
   * @param patches [tiles x patches, 3 patch^2]
   * @return [tiles x rowsPerTile, dim], the class token last in each tile
   */
  FloatMatrix tower(FloatMatrix patches, BooleanSupplier cancelled, Arena scratch) {
    int rows = c.rowsPerTile();
    int perTile = rows - 1;
    int tiles = patches.rows() / perTile;
    TowerPass pass =
        new TowerPass(
            scratch,
            kernels,
            c.dim(),
            c.heads(),
            c.wide(),
            Collections.nCopies(tiles, new TowerPass.Group(rows, 0)),
            angles(tiles, scratch));
    FloatMatrix x = pass.residual();
    for (int tile = 0; tile < tiles; tile++) {
      FloatMatrix ofTile = x.rows(tile * rows, rows);
      kernels.project(
          patches.rows(tile * perTile, perTile),
          perTile,
          new Projection(weights.patchEmbedding(), ofTile));
      ofTile.row(perTile).copyFrom(weights.classEmbedding());
      kernels.add(ofTile, weights.positions(), rows);
    }
    kernels.layerNorm(x, x.rows(), weights.preNorm(), weights.preNormBias(), c.normEps(), x);
    for (TowerBlock block : weights.blocks()) {
      if (cancelled.getAsBoolean()) {
        throw new CancellationException("the encoding of a picture was cancelled");
      }
      block.forward(pass);
    }
    kernels.layerNorm(x, x.rows(), weights.postNorm(), weights.postNormBias(), c.normEps(), x);
    return x;
  }

  /**
   * Rotary positions in two dimensions: the first half of a head's pairs turns with the column, the
   * second with the row, both counted from 1. The class token is not turned.
   */
  private FloatMatrix angles(int tiles, Arena scratch) {
    int rows = c.rowsPerTile();
    int headDim = c.dim() / c.heads();
    int pairs = headDim / 4; // of each direction
    FloatMatrix angles = FloatMatrix.allocate(scratch, tiles * rows, headDim);
    float[] row = new float[headDim];
    for (int i = 0; i < angles.rows(); i++) {
      int patch = i % rows;
      boolean isClass = patch == rows - 1;
      for (int j = 0; j < pairs; j++) {
        double frequency = Math.pow(c.ropeTheta(), -4.0 * j / headDim);
        double byColumn = isClass ? 0 : (patch % c.grid() + 1) * frequency;
        double byRow = isClass ? 0 : (patch / c.grid() + 1) * frequency;
        row[2 * j] = (float) Math.cos(byColumn);
        row[2 * j + 1] = (float) Math.sin(byColumn);
        row[2 * (pairs + j)] = (float) Math.cos(byRow);
        row[2 * (pairs + j) + 1] = (float) Math.sin(byRow);
      }
      angles.setRow(i, row);
    }
    return angles;
  }

  /**
   * Pixel shuffle, adapter and projection.
   *
   * @param x [tiles x rowsPerTile, dim]
   * @return [tiles x tokensPerTile, width of the language model]
   */
  FloatMatrix project(FloatMatrix x, Arena scratch) {
    int tiles = x.rows() / c.rowsPerTile();
    int rows = tiles * c.tokensPerTile();
    FloatMatrix fours = FloatMatrix.allocate(scratch, rows, 4 * c.dim());
    FloatMatrix corners = fours.withColumns(c.dim());
    int half = c.grid() / 2;
    for (int i = 0; i < corners.rows(); i++) {
      int corner = i % 4;
      int token = i / 4 % c.tokensPerTile();
      int column = 2 * (token % half) + corner % 2;
      int row = 2 * (token / half) + corner / 2;
      int tile = i / 4 / c.tokensPerTile();
      int patch = tile * c.rowsPerTile() + row * c.grid() + column;
      corners.row(i).copyFrom(x.row(patch));
    }
    FloatMatrix first = FloatMatrix.allocate(scratch, rows, c.adapterDim());
    FloatMatrix second = FloatMatrix.allocate(scratch, rows, weights.adapter2().outputs());
    FloatMatrix projected = FloatMatrix.allocate(scratch, rows, weights.projection().outputs());
    kernels.project(fours, rows, new Projection(weights.adapter1(), first));
    kernels.gelu(first, rows);
    kernels.project(first, rows, new Projection(weights.adapter2(), second));
    kernels.gelu(second, rows);
    kernels.project(second, rows, new Projection(weights.projection(), projected));
    return projected;
  }

  @Override
  public String description() {
    return "Llama 4: up to %d tiles of %d x %d pixels, %d tokens each; %d layers, width %d, %d heads"
        .formatted(
            c.maxTiles(), c.tile(), c.tile(), c.tokensPerTile(), c.layers(), c.dim(), c.heads());
  }

  @Override
  public void close() {
    arena.close();
  }
}
