package org.llamaj.vision.mllama;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.vision.encoder.TowerBlock;
import org.llamaj.vision.encoder.TowerWeights;

/**
 * The tensors of Llama 3.2 Vision's image encoder. Gates are already through tanh.
 *
 * @param patchEmbedding [dim, 3 patch^2]
 * @param classEmbedding dim values
 * @param positions [tokensPerTile, dim], the class token's first
 * @param positionGate how much of the tile positions comes in the place of the positions
 * @param tilePositions [aspectRatios x maxTiles x tokensPerTile, dim]
 * @param preTile [aspectRatios x maxTiles, dim], added to patches
 * @param preTileGate factor on it
 * @param postTile [aspectRatios x maxTiles, dim], added after the local layers
 * @param postTileGate factor on it
 * @param preNorm dim values
 * @param preNormBias dim values
 * @param postNorm dim values
 * @param postNormBias dim values
 * @param local the local layers
 * @param global the gated layers
 * @param projection [width of the language model, features]
 * @param projectionBias width of the language model
 */
record MllamaWeights(
    WeightMatrix patchEmbedding,
    MemorySegment classEmbedding,
    FloatMatrix positions,
    float positionGate,
    FloatMatrix tilePositions,
    FloatMatrix preTile,
    float preTileGate,
    FloatMatrix postTile,
    float postTileGate,
    MemorySegment preNorm,
    MemorySegment preNormBias,
    MemorySegment postNorm,
    MemorySegment postNormBias,
    List<TowerBlock> local,
    List<TowerBlock> global,
    WeightMatrix projection,
    MemorySegment projectionBias) {

  /**
   * Binds tensors.
   *
   * @param c proportions
   * @param w the tensors
   * @param textDim width of the language model
   * @param ready whether gates went through tanh before they were written, and that of the
   *     positions is the positions' own
   */
  static MllamaWeights bind(MllamaConfiguration c, TowerWeights w, int textDim, boolean ready) {
    int dim = c.dim();
    Gates gates = name -> ready ? w.scalar(name) : (float) Math.tanh(w.scalar(name));
    float positionGate = gates.of("v.position_embd.gate");
    int places = c.aspectRatios() * c.maxTiles();
    return new MllamaWeights(
        w.matrix("v.patch_embd.weight", dim, 3 * c.patch() * c.patch()),
        w.vector("v.class_embd", dim),
        w.table("v.position_embd.weight", c.tokensPerTile(), dim),
        ready ? 1 - positionGate : positionGate,
        w.table(
                "v.tile_position_embd.weight",
                c.aspectRatios(),
                c.maxTiles() * c.tokensPerTile() * dim)
            .withColumns(dim),
        w.table("v.pre_tile_position_embd.weight", c.aspectRatios(), c.maxTiles() * dim)
            .withColumns(dim)
            .rows(0, places),
        gates.of("v.pre_tile_position_embd.gate"),
        w.table("v.post_tile_position_embd.weight", c.aspectRatios(), c.maxTiles() * dim)
            .withColumns(dim)
            .rows(0, places),
        gates.of("v.post_tile_position_embd.gate"),
        w.vector("v.pre_ln.weight", dim),
        w.vector("v.pre_ln.bias", dim),
        w.vector("v.post_ln.weight", dim),
        w.vector("v.post_ln.bias", dim),
        IntStream.range(0, c.layers())
            .mapToObj(layer -> block(c, w, "v.blk." + layer + ".", _ -> 1))
            .toList(),
        IntStream.range(0, c.globalLayers())
            .mapToObj(layer -> block(c, w, "v.global.blk." + layer + ".", gates))
            .toList(),
        w.matrix("mm.0.weight", textDim, c.features()),
        w.vector("mm.0.bias", textDim));
  }

  private static TowerBlock block(MllamaConfiguration c, TowerWeights w, String b, Gates gates) {
    int dim = c.dim();
    // Some files have the names of the two layers of the feed-forward network the other way round.
    boolean swapped =
        w.source()
            .find(b + "ffn_up.bias")
            .filter(bias -> bias.shape().elements() == dim && dim != c.wide())
            .isPresent();
    String up = b + (swapped ? "ffn_down" : "ffn_up");
    String down = b + (swapped ? "ffn_up" : "ffn_down");
    return new TowerBlock(
        new TowerBlock.Weights(
            w.vector(b + "ln1.weight", dim),
            w.vector(b + "ln1.bias", dim),
            w.matrix(b + "attn_q.weight", dim, dim),
            w.matrix(b + "attn_k.weight", dim, dim),
            w.matrix(b + "attn_v.weight", dim, dim),
            w.matrix(b + "attn_out.weight", dim, dim),
            null,
            null,
            null,
            null,
            w.vector(b + "ln2.weight", dim),
            w.vector(b + "ln2.bias", dim),
            w.matrix(up + ".weight", c.wide(), dim),
            w.vector(up + ".bias", c.wide()),
            w.matrix(down + ".weight", dim, c.wide()),
            w.vector(down + ".bias", dim),
            gates.of(b + "attn_gate"),
            gates.of(b + "ffn_gate")),
        c.normEps());
  }

  private interface Gates {
    float of(String name);
  }
}
