package org.llamaj.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.PageMemory;

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
  private final String layout;
  private final PrefixIndex prefixes; // null if none are kept

  /**
   * @param memory where pages come from
   * @param layers the attention of each layer
   * @param prefixBytes the most memory for what sequences have left, to be found again; 0 for none
   */
  KeyValueCache(PageMemory memory, AttentionShape[] layers, long prefixBytes) {
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
    layout =
        "pages of %d tokens, %s, %s bytes"
            .formatted(
                AttentionShape.PAGE_TOKENS,
                layers[0].cacheType(),
                pools.stream().map(PagePool::pageBytes).toList());
    prefixes =
        keepsAll() && prefixBytes > 0 ? new PrefixIndex(pools.getFirst(), prefixBytes) : null;
  }

  /** Whether all layers see everything, so that pages stay as long as their sequence. */
  boolean keepsAll() {
    return pools.size() == 1 && pools.getFirst().keepsAll();
  }

  /** How keys and values lie in a page, beside the model's proportions. */
  String layout() {
    return layout;
  }

  /** The blocks of a new sequence that others may share; null if none are kept. */
  PrefixChain newChain(long salt) {
    return prefixes == null ? null : new PrefixChain(prefixes, salt);
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

  /** Pages that sequences hold; not those that are only kept to be found again. */
  long pagesInUse() {
    long kept = prefixes == null ? 0 : prefixes.idleBlocks();
    return pools.stream().mapToLong(PagePool::pagesInUse).sum() - kept;
  }

  /** Gives up a page that is only kept to be found again; false if there is none. */
  boolean evict() {
    return prefixes != null && prefixes.evict();
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
