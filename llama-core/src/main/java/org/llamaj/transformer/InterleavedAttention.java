package org.llamaj.transformer;

/**
 * The interleaved attention of Llama 4 ("iRoPE"): most layers have rotary positions and see only
 * their own chunk of the context; every n-th is global, has no positions at all (Kazemnejad et al.
 * 2023) and makes up for the growing number of keys by a temperature (Nakanishi 2025).
 *
 * @param globalEvery every n-th layer is global; 0 if all layers are alike, with rotary positions
 * @param chunk a local layer's query at position p sees the keys from (p / chunk) * chunk on; 0 if
 *     local layers see everything too
 * @param temperatureScale how fast the temperature of global layers grows; 0 for none
 * @param temperatureLength tokens after which the temperature first grows
 * @param queryKeyNorm whether local layers normalise each head's rotated query and key (RMSNorm
 *     without weights)
 */
public record InterleavedAttention(
    int globalEvery,
    int chunk,
    double temperatureScale,
    int temperatureLength,
    boolean queryKeyNorm) {

  /** All layers are alike: rotary positions, full attention. */
  public static final InterleavedAttention NONE = new InterleavedAttention(0, 0, 0, 1, false);

  /**
   * Whether a layer is global: without rotary positions, chunks and query-key norm.
   *
   * @param layer index of the layer
   * @return true for every {@link #globalEvery}-th
   */
  public boolean isGlobal(int layer) {
    return globalEvery > 0 && (layer + 1) % globalEvery == 0;
  }

  /**
   * The attention chunk of a layer.
   *
   * @param layer index of the layer
   * @return tokens, or 0 for full attention
   */
  public int chunk(int layer) {
    return isGlobal(layer) ? 0 : chunk;
  }

  /**
   * By how much a query of a global layer is multiplied.
   *
   * @param position of the query
   * @return 1 + scale * ln(floor((position + 1) / length) + 1)
   */
  public double temperature(int position) {
    return 1 + temperatureScale * Math.log((position + 1L) / temperatureLength + 1);
  }
}
