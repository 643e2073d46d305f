package org.llamaj.loading;

import org.llamaj.kernel.DecoratedKernels;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.Projection;
import org.llamaj.spi.ProjectionListener;
import org.llamaj.tensor.FloatMatrix;

/**
 * Kernels that tell a listener what is multiplied with what.
 *
 * @param plain the kernels that do the work
 * @param listener is told before each projection, when the input can be read
 */
record ObservedKernels(Kernels plain, ProjectionListener listener) implements DecoratedKernels {

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    plain.fetch(input, rows);
    listener.onProject(input, rows, projections);
    plain.project(input, rows, projections);
  }

  /** Experts are to be called one by one: what they multiply is told, too. */
  @Override
  public boolean mix(
      FloatMatrix input, FloatMatrix scores, int rows, Mixture mixture, FloatMatrix output) {
    return false;
  }
}
