package org.llamaj.spi;

import org.llamaj.kernel.Projection;
import org.llamaj.tensor.FloatMatrix;

/**
 * Sees what goes into the matrix products of a model's forward passes. Called on the thread that
 * runs the pass, before the product; forward passes wait for it. The last layer, but for its keys
 * and values, is only computed for the rows of a batch whose logits or state are wanted.
 */
@FunctionalInterface
public interface ProjectionListener {
  /**
   * Some weights are about to be multiplied with the same input.
   *
   * @param input rows of as many values as the weights have columns, valid during the call
   * @param rows how many rows count
   * @param projections name the weights
   */
  void onProject(FloatMatrix input, int rows, Projection... projections);
}
