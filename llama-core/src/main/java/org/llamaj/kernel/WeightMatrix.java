package org.llamaj.kernel;

/**
 * A weight matrix in the form its kernels want it. Made by {@link Kernels#weightMatrix} and
 * meaningful only to the kernels that made it: most keep the mapped tensor as it is, others may
 * hold a copy in another layout or on a device.
 */
public interface WeightMatrix {

  /**
   * Which weight it is.
   *
   * @return the name of its tensor, {@code blk.0.attn_q.weight}
   */
  String name();

  /**
   * Length of the vectors that go in.
   *
   * @return the columns of the tensor
   */
  int inputs();

  /**
   * Length of the vectors that come out.
   *
   * @return the rows of the tensor
   */
  int outputs();
}
