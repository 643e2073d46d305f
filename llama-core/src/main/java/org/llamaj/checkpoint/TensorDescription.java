package org.llamaj.checkpoint;

import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;

/**
 * A tensor without its data.
 *
 * @param name for example {@code blk.0.attn_q.weight}
 * @param type how values are stored
 * @param shape outermost dimension first
 */
public record TensorDescription(String name, ElementType type, Shape shape) {
  /** {@return the bytes of the data} */
  public long bytes() {
    return type.bytes(shape);
  }
}
