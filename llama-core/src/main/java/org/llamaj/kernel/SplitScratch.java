package org.llamaj.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.tensor.FloatMatrix;

/** Memory between the products of parts. Only one product runs at a time: all share it. */
final class SplitScratch {
  private static final long ALIGNMENT = 64;

  private final Arena arena;
  private MemorySegment slices = MemorySegment.NULL;
  private MemorySegment sum = MemorySegment.NULL;

  SplitScratch(Arena arena) {
    this.arena = arena;
  }

  /** Matrices that together hold as much as one does, each as many rows and some of the columns. */
  FloatMatrix[] slices(FloatMatrix whole, int parts) {
    int width = whole.columns() / parts;
    long bytes = (long) Float.BYTES * whole.rows() * width;
    long stride = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    slices = atLeast(slices, parts * stride);
    FloatMatrix[] views = new FloatMatrix[parts];
    for (int i = 0; i < parts; i++) {
      views[i] = new FloatMatrix(slices.asSlice(i * stride, bytes), whole.rows(), width);
    }
    return views;
  }

  /** A matrix as large as another. */
  FloatMatrix sum(FloatMatrix like) {
    long bytes = like.data().byteSize();
    sum = atLeast(sum, bytes);
    return new FloatMatrix(sum.asSlice(0, bytes), like.rows(), like.columns());
  }

  /** Earlier views keep what they have. */
  private MemorySegment atLeast(MemorySegment memory, long bytes) {
    return memory.byteSize() >= bytes ? memory : arena.allocate(bytes, ALIGNMENT);
  }
}
