package org.llamaj.transformer;

import org.llamaj.kernel.ExpertRouting;

/**
 * A mixture of experts in place of the dense feed-forward network (Shazeer et al. 2017).
 *
 * @param count experts per layer, 0 for a dense model
 * @param used experts each token goes through
 * @param feedForwardDim width of one expert
 * @param every every n-th layer has experts, the others are dense
 * @param shared whether each layer has one more expert that all tokens go through
 * @param routing how tokens are weighted
 */
public record Experts(
    int count, int used, int feedForwardDim, int every, boolean shared, ExpertRouting routing) {

  /** A dense model. */
  public static final Experts NONE = new Experts(0, 0, 0, 1, false, ExpertRouting.SOFTMAX);

  /**
   * Whether a layer has experts.
   *
   * @param layer index of the layer
   * @return false if its feed-forward network is dense
   */
  public boolean in(int layer) {
    return count > 0 && (layer + 1) % every == 0;
  }
}
