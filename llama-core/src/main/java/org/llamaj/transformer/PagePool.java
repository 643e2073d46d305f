package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;

/**
 * The memory of the key-value cache of one model, handed out in pages of {@link
 * AttentionShape#PAGE_TOKENS} tokens across all layers. Grows on demand; pages of closed sequences
 * are used again.
 *
 * <p>Thread-safe.
 */
final class PagePool {

  /** Where the pages of the layers lie within the memory of one page number. */
  private final long[] layerOffsets;

  private final long[] layerBytes;

  private final long bytesPerPage;
  private final Arena arena;
  private final Deque<MemorySegment> free = new ArrayDeque<>();
  private long allocated;
  private long used;

  /**
   * @param arena owns the memory
   * @param layers the attention of each layer
   */
  PagePool(Arena arena, AttentionShape[] layers) {
    this.arena = arena;
    layerOffsets = new long[layers.length];
    layerBytes = new long[layers.length];
    long offset = 0;
    for (int layer = 0; layer < layers.length; layer++) {
      layerOffsets[layer] = offset;
      layerBytes[layer] = layers[layer].pageBytes();
      offset += (layerBytes[layer] + 63) / 64 * 64;
    }
    bytesPerPage = offset;
  }

  synchronized MemorySegment take() {
    MemorySegment page = free.poll();
    if (page == null) {
      page = allocate();
      allocated++;
    }
    used++;
    return page;
  }

  synchronized void release(MemorySegment page) {
    used--;
    free.push(page);
  }

  long layerOffset(int layer) {
    return layerOffsets[layer];
  }

  long layerBytes(int layer) {
    return layerBytes[layer];
  }

  long bytesPerPage() {
    return bytesPerPage;
  }

  synchronized long pagesInUse() {
    return used;
  }

  synchronized long bytesAllocated() {
    return allocated * bytesPerPage;
  }

  private MemorySegment allocate() {
    try {
      return arena.allocate(bytesPerPage, 64);
    } catch (OutOfMemoryError e) {
      throw new LlamaException(
          "the key-value cache holds %d pages of %d tokens (%d MiB) and the system gives no memory for one more: close sequences, or load with a shorter context or a smaller cache type"
              .formatted(allocated, AttentionShape.PAGE_TOKENS, (allocated * bytesPerPage) >> 20),
          e);
    }
  }
}
