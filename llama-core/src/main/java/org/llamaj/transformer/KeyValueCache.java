package org.llamaj.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.llamaj.kernel.AttentionShape;

/**
 * The key-value cache of one model: a pool of pages for each kind of layer, since layers with
 * attention chunks need to keep far fewer tokens than those that see everything. Thread-safe.
 */
final class KeyValueCache {
  private static final int ALIGNMENT = 64;

  private final List<PagePool> pools = new ArrayList<>();
  private final int[] poolOf; // by layer
  private final long[] offsets; // by layer, within a page of its pool
  private final long[] bytes; // by layer

  /**
   * @param memory where pages come from
   * @param layers the attention of each layer
   */
  KeyValueCache(PageMemory memory, AttentionShape[] layers) {
    poolOf = new int[layers.length];
    offsets = new long[layers.length];
    bytes = new long[layers.length];
    for (int chunk : Arrays.stream(layers).mapToInt(AttentionShape::chunk).distinct().toArray()) {
      long pageBytes = 0;
      for (int layer = 0; layer < layers.length; layer++) {
        if (layers[layer].chunk() == chunk) {
          poolOf[layer] = pools.size();
          offsets[layer] = pageBytes;
          bytes[layer] = layers[layer].pageBytes();
          pageBytes += Math.ceilDiv(bytes[layer], ALIGNMENT) * ALIGNMENT;
        }
      }
      pools.add(new PagePool(memory, chunk, pageBytes));
    }
  }

  List<PagePool> pools() {
    return pools;
  }

  /** Which pool holds a layer's pages. */
  int poolOf(int layer) {
    return poolOf[layer];
  }

  /** Where a layer's part lies within a page. */
  long offset(int layer) {
    return offsets[layer];
  }

  /** How large a layer's part of a page is. */
  long bytes(int layer) {
    return bytes[layer];
  }

  long pagesInUse() {
    return pools.stream().mapToLong(PagePool::pagesInUse).sum();
  }

  long bytesAllocated() {
    return pools.stream().mapToLong(PagePool::bytesAllocated).sum();
  }

  /** The most memory that one sequence of this length takes, read in batches of this size. */
  long bytesFor(int length, int batchSize) {
    return pools.stream()
        .mapToLong(pool -> pool.pagesFor(length, batchSize) * pool.pageBytes())
        .sum();
  }
}
