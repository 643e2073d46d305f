package org.llamaj.kernel.vector;

import org.llamaj.kernel.WholeMatrix;
import org.llamaj.tensor.Tensor;

/**
 * A weight matrix where it lies, outside the heap.
 *
 * @param tensor also keeps the memory reachable
 * @param format arithmetic of its type
 * @param address of the first row
 * @param rowBytes bytes of a row
 */
record VectorWeights(Tensor tensor, Format format, long address, long rowBytes)
    implements WholeMatrix {}
