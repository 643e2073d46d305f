package org.llamaj.kernel;

import org.llamaj.tensor.Tensor;

/**
 * A weight matrix in the form its kernels want it. Made by {@link Kernels#weightMatrix} and
 * meaningful only to the kernels that made it: most keep the mapped tensor as it is, others may
 * hold a copy in another layout or on a device.
 */
public interface WeightMatrix {

  /**
   * The tensor this was made from.
   *
   * @return a tensor of shape [outputs, inputs]
   */
  Tensor tensor();

  /**
   * Length of the vectors that go in.
   *
   * @return the columns of the tensor
   */
  default int inputs() {
    return Math.toIntExact(tensor().columns());
  }

  /**
   * Length of the vectors that come out.
   *
   * @return the rows of the tensor
   */
  default int outputs() {
    return Math.toIntExact(tensor().rows());
  }
}
