package org.llamaj.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;

/**
 * The proportions of a decoder-only transformer of the Llama family.
 *
 * @param architecture as the checkpoint names it, {@code llama} or {@code llama4}
 * @param vocabularySize number of token ids
 * @param contextLength tokens the model was trained for
 * @param dim width of the residual stream
 * @param layers number of decoder layers
 * @param heads query heads
 * @param kvHeads key/value heads, divides {@code heads}
 * @param headDim length of one head's query, key and value
 * @param feedForwardDim width of the dense feed-forward network
 * @param normEps added to the mean square in RMSNorm
 * @param rope rotary positions
 * @param interleaved which layers see what; {@link InterleavedAttention#NONE} before Llama 4
 * @param experts {@link Experts#NONE} for a dense model
 * @param crossAttention {@link CrossAttention#NONE} for a model of text
 */
public record Configuration(
    String architecture,
    int vocabularySize,
    int contextLength,
    int dim,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForwardDim,
    float normEps,
    Rope rope,
    InterleavedAttention interleaved,
    Experts experts,
    CrossAttention crossAttention) {

  /**
   * A model without cross-attention.
   *
   * @param architecture as the checkpoint names it
   * @param vocabularySize number of token ids
   * @param contextLength tokens the model was trained for
   * @param dim width of the residual stream
   * @param layers number of decoder layers
   * @param heads query heads
   * @param kvHeads key/value heads, divides {@code heads}
   * @param headDim length of one head's query, key and value
   * @param feedForwardDim width of the dense feed-forward network
   * @param normEps added to the mean square in RMSNorm
   * @param rope rotary positions
   * @param interleaved which layers see what
   * @param experts {@link Experts#NONE} for a dense model
   */
  public Configuration(
      String architecture,
      int vocabularySize,
      int contextLength,
      int dim,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int feedForwardDim,
      float normEps,
      Rope rope,
      InterleavedAttention interleaved,
      Experts experts) {
    this(
        architecture,
        vocabularySize,
        contextLength,
        dim,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForwardDim,
        normEps,
        rope,
        interleaved,
        experts,
        CrossAttention.NONE);
  }

  /**
   * How many tokens the model can read.
   *
   * @return rows of the embedding table
   */
  public int embeddingRows() {
    return vocabularySize + crossAttention.extraTokens();
  }

  /**
   * Whether any layer has a dense feed-forward network.
   *
   * @return false if all layers have experts
   */
  public boolean hasDenseLayers() {
    return experts.count() == 0 || experts.every() > 1;
  }

  /**
   * The attention of the layers that read the tokens.
   *
   * @param cacheType how keys and values are stored
   * @return their proportions; their layers are counted without those of cross-attention
   */
  List<AttentionShape> selfAttention(CacheType cacheType) {
    List<AttentionShape> shapes = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      if (!crossAttention.layers().contains(layer)) {
        shapes.add(attention(layer, cacheType).inLayer(shapes.size()));
      }
    }
    return shapes;
  }

  /**
   * The attention of the layers that read an encoder's states.
   *
   * @param cacheType how keys and values are stored
   * @return their proportions; only they are counted
   */
  List<AttentionShape> stateAttention(CacheType cacheType) {
    float scale = (float) (1 / Math.sqrt(headDim));
    return IntStream.range(0, crossAttention.layers().size())
        .mapToObj(i -> new AttentionShape(i, heads, kvHeads, headDim, scale, 0, cacheType))
        .toList();
  }

  /**
   * The attention of one layer.
   *
   * @param layer index of the layer
   * @param cacheType how keys and values are stored
   * @return its proportions
   */
  public AttentionShape attention(int layer, CacheType cacheType) {
    float scale = (float) (1 / Math.sqrt(headDim));
    return new AttentionShape(
        layer, heads, kvHeads, headDim, scale, interleaved.chunk(layer), cacheType);
  }
}
