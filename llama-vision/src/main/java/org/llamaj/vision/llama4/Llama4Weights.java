package org.llamaj.vision.llama4;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.vision.encoder.TowerBlock;
import org.llamaj.vision.encoder.TowerWeights;

/**
 * The tensors of Llama 4's image encoder.
 *
 * @param patchEmbedding [dim, 3 patch^2]
 * @param classEmbedding dim values
 * @param positions [patches + 1, dim], the class token's last
 * @param preNorm dim values
 * @param preNormBias dim values
 * @param blocks the layers
 * @param postNorm dim values
 * @param postNormBias dim values
 * @param adapter1 [adapterDim, 4 dim]
 * @param adapter2 [adapterDim, adapterDim]
 * @param projection [width of the language model, adapterDim]
 */
record Llama4Weights(
    WeightMatrix patchEmbedding,
    MemorySegment classEmbedding,
    FloatMatrix positions,
    MemorySegment preNorm,
    MemorySegment preNormBias,
    List<TowerBlock> blocks,
    MemorySegment postNorm,
    MemorySegment postNormBias,
    WeightMatrix adapter1,
    WeightMatrix adapter2,
    WeightMatrix projection) {

  /**
   * Binds tensors by the names that GGUF files of encoders have.
   *
   * @param c proportions
   * @param w the tensors
   * @param textDim width of the language model
   */
  static Llama4Weights bind(Llama4Configuration c, TowerWeights w, int textDim) {
    int dim = c.dim();
    return new Llama4Weights(
        w.matrix("v.patch_embd.weight", dim, 3 * c.patch() * c.patch()),
        w.vector("v.class_embd", dim),
        w.table("v.position_embd.weight", c.rowsPerTile(), dim),
        w.vector("v.pre_ln.weight", dim),
        w.vector("v.pre_ln.bias", dim),
        IntStream.range(0, c.layers()).mapToObj(layer -> block(c, w, layer)).toList(),
        w.vector("v.post_ln.weight", dim),
        w.vector("v.post_ln.bias", dim),
        w.matrix("mm.model.mlp.1.weight", c.adapterDim(), 4 * dim),
        w.matrix("mm.model.mlp.2.weight", c.adapterDim(), c.adapterDim()),
        w.matrix("mm.model.fc.weight", textDim, c.adapterDim()));
  }

  private static TowerBlock block(Llama4Configuration c, TowerWeights w, int layer) {
    int dim = c.dim();
    String b = "v.blk." + layer + ".";
    // Some converters give the norm in front of the feed-forward network the name of another one.
    String norm2 = w.source().find(b + "ln2.weight").isPresent() ? b + "ln2" : b + "attn_post_norm";
    return new TowerBlock(
        new TowerBlock.Weights(
            w.vector(b + "ln1.weight", dim),
            w.vector(b + "ln1.bias", dim),
            w.matrix(b + "attn_q.weight", dim, dim),
            w.matrix(b + "attn_k.weight", dim, dim),
            w.matrix(b + "attn_v.weight", dim, dim),
            w.matrix(b + "attn_out.weight", dim, dim),
            w.vector(b + "attn_q.bias", dim),
            w.vector(b + "attn_k.bias", dim),
            w.vector(b + "attn_v.bias", dim),
            w.vector(b + "attn_out.bias", dim),
            w.vector(norm2 + ".weight", dim),
            w.vector(norm2 + ".bias", dim),
            w.matrix(b + "ffn_up.weight", c.wide(), dim),
            w.vector(b + "ffn_up.bias", c.wide()),
            w.matrix(b + "ffn_down.weight", dim, c.wide()),
            w.vector(b + "ffn_down.bias", dim),
            1,
            1),
        c.normEps());
  }
}
