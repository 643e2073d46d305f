package org.llamaj.kernel;

/**
 * Grouped-query attention in one layer: its proportions, and with them the layout of a cache page.
 *
 * <p>A page holds the keys and the values of {@link #PAGE_TOKENS} consecutive tokens of one layer.
 * Keys come first and are transposed, so that one vector register takes the same component of
 * neighbouring tokens and scores need no horizontal sums; values follow row by row:
 *
 * <pre>
 * keys   [kvHeads][headDim][PAGE_TOKENS]
 * values [kvHeads][PAGE_TOKENS][headDim]
 * </pre>
 *
 * <p>Pages of quantised types are described by {@link QuantizedPage}.
 *
 * @param layer index of the layer, which chooses its pages in a {@link PageTable}
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param headDim length of one head's query, key and value
 * @param scale factor on the scores before the softmax, usually 1/sqrt(headDim)
 * @param chunk if positive, a query at position p sees only keys from (p / chunk) * chunk on (Llama
 *     4's chunked layers); 0 for full causal attention
 * @param cacheType element type of the page
 */
public record AttentionShape(
    int layer, int heads, int kvHeads, int headDim, float scale, int chunk, CacheType cacheType) {

  /** Tokens per cache page. */
  public static final int PAGE_TOKENS = 64;

  /** Checks the proportions. */
  public AttentionShape {
    if (heads <= 0 || kvHeads <= 0 || heads % kvHeads != 0 || headDim <= 0 || chunk < 0) {
      throw new IllegalArgumentException(
          "no attention of %d heads, %d key/value heads, head size %d, chunk %d"
              .formatted(heads, kvHeads, headDim, chunk));
    }
  }

  /**
   * The same proportions in another layer.
   *
   * @param other index of the layer
   * @return the shape
   */
  public AttentionShape inLayer(int other) {
    return new AttentionShape(other, heads, kvHeads, headDim, scale, chunk, cacheType);
  }

  /**
   * Query heads that share one key/value head.
   *
   * @return heads / kvHeads
   */
  public int group() {
    return heads / kvHeads;
  }

  /**
   * The first key a query sees.
   *
   * @param position of the query
   * @return a position, at most the query's own
   */
  public int firstKey(int position) {
    return chunk == 0 ? 0 : position / chunk * chunk;
  }

  /**
   * The size of a page.
   *
   * @return bytes of keys and values together
   */
  public long pageBytes() {
    return 2L * kvHeads * headDim * PAGE_TOKENS / cacheType.blockSize() * cacheType.blockBytes();
  }

  /**
   * Where a key component lies in a page of a floating-point type.
   *
   * @param kvHead key/value head
   * @param component 0 to headDim - 1
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long keyOffset(int kvHead, int component, int slot) {
    return (((long) kvHead * headDim + component) * PAGE_TOKENS + slot) * cacheType.bytes();
  }

  /**
   * Where a value vector begins in a page of a floating-point type.
   *
   * @param kvHead key/value head
   * @param slot the token's index in the page
   * @return byte offset
   */
  public long valueOffset(int kvHead, int slot) {
    return (((long) (kvHeads + kvHead) * PAGE_TOKENS + slot) * headDim) * cacheType.bytes();
  }
}
