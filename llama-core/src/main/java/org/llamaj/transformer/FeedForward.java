package org.llamaj.transformer;

import org.llamaj.tensor.FloatMatrix;

/**
 * The feed-forward half of a decoder layer: dense, or a mixture of experts that another module
 * brings. Belongs to one model and is called by one thread at a time.
 */
public interface FeedForward {

  /**
   * Computes FFN(input).
   *
   * @param input rows of dim values, already normalised
   * @param rows how many rows
   * @return rows of dim values, valid until the next call
   */
  FloatMatrix forward(FloatMatrix input, int rows);
}
