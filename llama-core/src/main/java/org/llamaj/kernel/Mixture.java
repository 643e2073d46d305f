package org.llamaj.kernel;

import java.util.List;

/**
 * The experts of one layer, each a feed-forward network with SwiGLU.
 *
 * @param gates by expert, [feedForwardDim, dim]
 * @param ups by expert, [feedForwardDim, dim]
 * @param downs by expert, [dim, feedForwardDim]
 * @param used experts each token goes through: those with the highest scores
 * @param routing how tokens are weighted
 */
public record Mixture(
    List<WeightMatrix> gates,
    List<WeightMatrix> ups,
    List<WeightMatrix> downs,
    int used,
    ExpertRouting routing) {

  /** Checks the numbers. */
  public Mixture {
    gates = List.copyOf(gates);
    ups = List.copyOf(ups);
    downs = List.copyOf(downs);
    if (used < 1
        || used > gates.size()
        || ups.size() != gates.size()
        || downs.size() != gates.size()) {
      throw new IllegalArgumentException(
          "no mixture of %d gates, %d ups and %d downs of which %d are used"
              .formatted(gates.size(), ups.size(), downs.size(), used));
    }
  }

  /**
   * How many experts there are.
   *
   * @return experts
   */
  public int count() {
    return gates.size();
  }

  /**
   * Width of an expert.
   *
   * @return feedForwardDim
   */
  public int inner() {
    return gates.getFirst().outputs();
  }
}
