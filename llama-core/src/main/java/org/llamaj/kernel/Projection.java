package org.llamaj.kernel;

import org.llamaj.tensor.FloatMatrix;

/**
 * One matrix product of a {@link Kernels#project} call: output = input x weight^T.
 *
 * @param weight shape [outputs, inputs]
 * @param output receives one row of {@code outputs} values per input row
 */
public record Projection(WeightMatrix weight, FloatMatrix output) {

  /** Checks that the output rows have the length the weight gives. */
  public Projection {
    if (output.columns() != weight.outputs()) {
      throw new IllegalArgumentException(
          "%s gives rows of %d values, the output has rows of %d"
              .formatted(weight.name(), weight.outputs(), output.columns()));
    }
  }
}
