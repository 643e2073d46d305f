package org.llamaj.kernel;

import java.lang.foreign.Arena;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.SplitTensor;

/**
 * Kernels of the processor that multiply with weights in several parts, too, where these lie. The
 * layers above know nothing of it.
 *
 * <p>A part is a matrix like any other for the kernels beneath. What is added is a copy of
 * activations where many rows are computed, and the sum of products where columns are split.
 */
public final class SplitKernels implements DecoratedKernels {
  private final Kernels plain;
  private final SplitScratch scratch;

  /**
   * Adds weights in parts to what kernels can do.
   *
   * @param plain the kernels that do the work
   * @param arena owns the memory between products
   */
  public SplitKernels(Kernels plain, Arena arena) {
    this.plain = plain;
    this.scratch = new SplitScratch(arena);
  }

  @Override
  public Kernels plain() {
    return plain;
  }

  /**
   * Prepares a weight matrix in several parts, to be used like any other.
   *
   * @param tensor outside the heap, in memory that the processor reads
   * @return the matrix
   */
  public WeightMatrix weightMatrix(SplitTensor tensor) {
    return new SplitMatrix(tensor, tensor.parts().stream().map(plain::weightMatrix).toList());
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    if (!anySplit(projections)) {
      plain.project(input, rows, projections);
      return;
    }
    for (Projection projection : projections) {
      if (projection.weight() instanceof SplitMatrix split) {
        split.product(input, projection.output(), plain, scratch).compute(rows);
      } else {
        plain.project(input, rows, projection);
      }
    }
  }

  private static boolean anySplit(Projection[] projections) {
    for (Projection projection : projections) {
      if (projection.weight() instanceof SplitMatrix) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    if (table instanceof SplitMatrix split) {
      split.embedding(output, plain, scratch).lookUp(ids, count);
    } else {
      plain.embed(table, ids, count, output);
    }
  }
}
