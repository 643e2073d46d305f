package org.llamaj.kernel.cuda;

import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.WholeMatrix;
import org.llamaj.tensor.Tensor;

/** A weight matrix on the device, or one that stays with the processor. */
sealed interface CudaWeightMatrix extends WeightMatrix {

  /**
   * On the device.
   *
   * @param tensor what it was made from
   * @param main address of the bytes of its blocks that are loaded 16 at a time
   * @param side address of the other bytes; 0 if there are none
   * @param products the kernels of its format
   */
  record OnDevice(Tensor tensor, long main, long side, Products products)
      implements CudaWeightMatrix, WholeMatrix {}

  /**
   * With the processor.
   *
   * @param matrix as the processor's kernels want it
   */
  record OnHost(WeightMatrix matrix) implements CudaWeightMatrix {
    @Override
    public String name() {
      return matrix.name();
    }

    @Override
    public int inputs() {
      return matrix.inputs();
    }

    @Override
    public int outputs() {
      return matrix.outputs();
    }
  }

  /** The table of embeddings: goes to the device once it is used for a product, if it ever is. */
  final class Undecided implements CudaWeightMatrix, WholeMatrix {
    private final Tensor tensor;
    private CudaWeightMatrix decided;
    private WeightMatrix onHost;

    Undecided(Tensor tensor) {
      this.tensor = tensor;
    }

    @Override
    public Tensor tensor() {
      return tensor;
    }

    CudaWeightMatrix decided() {
      return decided;
    }

    /** For rows of it, which need no copy on the device. */
    WeightMatrix onHost(Kernels host) {
      if (onHost == null) {
        onHost = host.weightMatrix(tensor);
      }
      return onHost;
    }

    void decide(CudaWeightMatrix matrix) {
      decided = matrix;
    }
  }
}
