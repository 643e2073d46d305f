package org.llamaj.checkpoint.meta;

import java.util.List;
import org.llamaj.LlamaException;
import org.llamaj.tensor.Shape;

/**
 * A tensor and where its values are.
 *
 * @param storage the values
 * @param offset of the first, in values
 * @param shape outermost dimension first, values one after another
 */
record PickledTensor(PickledStorage storage, long offset, Shape shape) {
  private static final int MAX_DIMENSIONS = 8;

  /** From the arguments of {@code _rebuild_tensor_v2}: storage, offset, sizes, strides, ... */
  static PickledTensor of(List<?> arguments, PickleReader reader) {
    if (arguments.size() >= 4
        && arguments.get(0) instanceof PickledStorage storage
        && arguments.get(1) instanceof Long offset
        && arguments.get(2) instanceof List<?> sizes
        && arguments.get(3) instanceof List<?> strides
        && sizes.size() == strides.size()
        && sizes.size() <= MAX_DIMENSIONS
        && offset >= 0) {
      return new PickledTensor(storage, offset, shape(sizes, strides, reader));
    }
    throw reader.failure("expected a tensor: its storage, offset, sizes and strides");
  }

  private static Shape shape(List<?> sizes, List<?> strides, PickleReader reader) {
    long[] shape = new long[Math.max(1, sizes.size())];
    shape[0] = 1; // of a scalar
    long stride = 1;
    for (int i = sizes.size() - 1; i >= 0; i--) {
      if (!(sizes.get(i) instanceof Long size) || size < 1) {
        throw reader.failure("expected sizes of at least 1");
      }
      if (size > 1 && !Long.valueOf(stride).equals(strides.get(i))) {
        throw reader.failure("expected a tensor whose values lie one after another");
      }
      shape[i] = size;
      stride *= size; // if it overflows, the shape is refused
    }
    try {
      return Shape.of(shape);
    } catch (LlamaException e) {
      throw reader.failure(e.getMessage());
    }
  }
}
