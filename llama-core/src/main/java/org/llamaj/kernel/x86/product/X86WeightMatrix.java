package org.llamaj.kernel.x86.product;

import org.llamaj.kernel.WholeMatrix;
import org.llamaj.tensor.Tensor;

/**
 * A weight matrix where it lies, with the code for it.
 *
 * @param tensor shape [outputs, inputs]
 * @param code for its type and row length
 * @param address of the first row
 * @param rowBytes bytes between rows
 */
public record X86WeightMatrix(Tensor tensor, WeightCode code, long address, long rowBytes)
    implements WholeMatrix {

  /** A tensor's rows, outside the heap. */
  public X86WeightMatrix(Tensor tensor, WeightCode code) {
    this(tensor, code, tensor.data().address(), tensor.rowBytes());
  }

  /** The address of a row. */
  public long row(int index) {
    return address + index * rowBytes;
  }
}
