package org.llamaj.vision.mllama;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
import org.llamaj.vision.image.Tiles;

/**
 * The image encoder of Llama 3.2 Vision, as {@code MllamaVisionModel} of the transformers library:
 * all tiles of a picture attend to one another; embeddings tell which canvas they are cut from.
 *
 * <p>The model was trained with the places of absent tiles, and with rows that fill up each tile to
 * a multiple of 8, in the attention: real rows see them, they see only real rows. They are computed
 * here too, behind the real ones, and not handed on.
 */
final class MllamaEncoder implements MediaEncoder {
  private final MllamaConfiguration c;
  private final MllamaWeights weights;
  private final Kernels kernels;
  private final Arena arena;
  private final Resampler resampler;
  private final Normalization normalization;

  /**
   * @param configuration proportions
   * @param weights the tensors, made by the kernels
   * @param kernels the arithmetic
   * @param workers the threads of the kernels
   * @param arena owns tables of the weights; closed with the encoder
   */
  MllamaEncoder(
      MllamaConfiguration configuration,
      MllamaWeights weights,
      Kernels kernels,
      Workers workers,
      Arena arena) {
    c = configuration;
    this.weights = weights;
    this.kernels = kernels;
    this.arena = arena;
    resampler = new Resampler(workers);
    normalization = new Normalization(c.mean(), c.deviation());
  }

  @Override
  public ImageLayout layout() {
    return ImageLayout.LLAMA_3;
  }

  @Override
  public Content.Image look(Picture picture) {
    ImageDecoder.Size size = ImageDecoder.size(picture);
    return new Content.Image(size.width(), size.height(), picture);
  }

  @Override
  public MediaEncoding encode(Picture picture, ImageLayout layout, BooleanSupplier cancelled) {
    Tiles tiles = Tiles.cut(ImageDecoder.decode(picture), c.tile(), c.maxTiles(), resampler);
    int perTile = c.grid() * c.grid();
    try (Arena scratch = Arena.ofShared()) {
      FloatMatrix patches =
          FloatMatrix.allocate(scratch, tiles.images().size() * perTile, 3 * c.patch() * c.patch());
      for (int i = 0; i < tiles.images().size(); i++) {
        Patches.write(tiles.images().get(i), c.patch(), normalization, patches, i * perTile);
      }
      int id = c.aspectRatioId(tiles.tilesX(), tiles.tilesY());
      FloatMatrix states = project(features(patches, id, cancelled, scratch), scratch);
      float[] values = states.data().toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
      return new MediaEncoding.CrossAttentionStates(
          new FloatMatrix(MemorySegment.ofArray(values), states.rows(), states.columns()));
    }
  }

  /**
   * The tower.
   *
   * @param patches of the tiles that there are, [tiles x grid^2, 3 patch^2]
   * @param id of the canvas
   * @return [tiles x tokensPerTile, features]
   */
  FloatMatrix features(FloatMatrix patches, int id, BooleanSupplier cancelled, Arena scratch) {
    int tokens = c.tokensPerTile();
    int tiles = patches.rows() / (tokens - 1);
    int real = tiles * tokens;
    int all = c.maxTiles() * c.rowsPerTile();
    TowerPass pass =
        new TowerPass(
            scratch,
            kernels,
            c.dim(),
            c.heads(),
            c.wide(),
            List.of(new TowerPass.Group(all, all - real)),
            null);
    FloatMatrix x = pass.residual();
    for (int tile = 0; tile < c.maxTiles(); tile++) {
      FloatMatrix ofTile = embed(patches, tile, tile < tiles, id, scratch);
      x.rows(tile * tokens, tokens).data().copyFrom(ofTile.data());
    }
    int embedded = c.maxTiles() * tokens;
    FloatMatrix withTokens = x.rows(0, embedded);
    kernels.layerNorm(
        withTokens, embedded, weights.preNorm(), weights.preNormBias(), c.normEps(), withTokens);

    FloatMatrix features = FloatMatrix.allocate(scratch, real, c.features());
    int taken = 0;
    for (int layer = 0; layer < c.layers(); layer++) {
      if (taken < c.intermediate().length && c.intermediate()[taken] == layer) {
        take(x, features, taken++);
      }
      run(weights.local().get(layer), pass, cancelled);
    }
    kernels.layerNorm(x, all, weights.postNorm(), weights.postNormBias(), c.normEps(), x);
    addTilePositions(x, id);
    for (TowerBlock block : weights.global()) {
      run(block, pass, cancelled);
    }
    for (int row = 0; row < real; row++) {
      features.row(row).asSlice(0, 4L * c.dim()).copyFrom(x.row(row));
    }
    return features;
  }

  /** A tile's class token and patches, with all that says where they are. */
  private FloatMatrix embed(FloatMatrix patches, int tile, boolean present, int id, Arena scratch) {
    int tokens = c.tokensPerTile();
    int perTile = tokens - 1;
    FloatMatrix x = FloatMatrix.allocate(scratch, tokens, c.dim());
    if (present) {
      kernels.project(
          patches.rows(tile * perTile, perTile),
          perTile,
          new Projection(weights.patchEmbedding(), x.rows(1, perTile)));
    }
    int place = id * c.maxTiles() + tile;
    for (int i = 0; i < tokens; i++) {
      for (int j = 0; j < c.dim(); j++) {
        float value =
            i == 0
                ? weights.classEmbedding().get(java.lang.foreign.ValueLayout.JAVA_FLOAT, 4L * j)
                : x.get(i, j) + weights.preTileGate() * weights.preTile().get(place, j);
        value += (1 - weights.positionGate()) * weights.positions().get(i, j);
        value += weights.positionGate() * weights.tilePositions().get(place * tokens + i, j);
        x.set(i, j, value);
      }
    }
    return x;
  }

  private void addTilePositions(FloatMatrix x, int id) {
    for (int row = 0; row < x.rows(); row++) {
      int place = id * c.maxTiles() + tileOf(row);
      for (int j = 0; j < c.dim(); j++) {
        x.set(row, j, x.get(row, j) + weights.postTileGate() * weights.postTile().get(place, j));
      }
    }
  }

  /** Rows are: tokens of the tiles, present ones first, then what fills up each tile. */
  private int tileOf(int row) {
    int tokens = c.tokensPerTile();
    int embedded = c.maxTiles() * tokens;
    return row < embedded ? row / tokens : (row - embedded) / (c.rowsPerTile() - tokens);
  }

  /** The k-th intermediate state: its values lie between those of the others. */
  private void take(FloatMatrix x, FloatMatrix features, int k) {
    int count = c.intermediate().length;
    for (int row = 0; row < features.rows(); row++) {
      for (int j = 0; j < c.dim(); j++) {
        features.set(row, c.dim() + j * count + k, x.get(row, j));
      }
    }
  }

  private static void run(TowerBlock block, TowerPass pass, BooleanSupplier cancelled) {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("the encoding of a picture was cancelled");
    }
    block.forward(pass);
  }

  /** To the width of the language model. */
  FloatMatrix project(FloatMatrix features, Arena scratch) {
    FloatMatrix states =
        FloatMatrix.allocate(scratch, features.rows(), weights.projection().outputs());
    kernels.project(features, features.rows(), new Projection(weights.projection(), states));
    kernels.addBias(states, states.rows(), weights.projectionBias());
    return states;
  }

  @Override
  public String description() {
    return "Llama 3.2 Vision: up to %d tiles of %d x %d pixels; %d + %d layers, width %d, %d heads"
        .formatted(
            c.maxTiles(), c.tile(), c.tile(), c.layers(), c.globalLayers(), c.dim(), c.heads());
  }

  @Override
  public void close() {
    arena.close();
  }
}
