package org.llamaj.moe;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.llamaj.transformer.FeedForward;

/**
 * One expert of a layer.
 *
 * @param network computes it
 * @param weights the memory of its weights, to be read ahead
 */
record Expert(FeedForward network, List<MemorySegment> weights) {

  /** The size of the weights. */
  long bytes() {
    return weights.stream().mapToLong(MemorySegment::byteSize).sum();
  }
}
