package org.llamaj.kernel;

import org.llamaj.tensor.Tensor;

/** A weight matrix of one tensor. */
public interface WholeMatrix extends WeightMatrix {

  /**
   * The tensor this was made from.
   *
   * @return a tensor of shape [outputs, inputs]
   */
  Tensor tensor();

  @Override
  default String name() {
    return tensor().name();
  }

  @Override
  default int inputs() {
    return Math.toIntExact(tensor().columns());
  }

  @Override
  default int outputs() {
    return Math.toIntExact(tensor().rows());
  }
}
