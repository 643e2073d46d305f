package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The cache pages of one sequence: in each layer, page i holds the keys and values of the tokens
 * from i x {@link AttentionShape#PAGE_TOKENS} on. In a layer with attention chunks, pages before
 * the one that holds the {@link AttentionShape#firstKey} of a span's first token may be gone.
 */
public interface PageTable {

  /**
   * A page's memory.
   *
   * @param layer {@link AttentionShape#layer}
   * @param page index of the page
   * @return {@link AttentionShape#pageBytes} bytes
   */
  MemorySegment segment(int layer, int page);

  /**
   * The address of a page, for kernels that compute addresses themselves.
   *
   * @param layer {@link AttentionShape#layer}
   * @param page index of the page
   * @return a raw address, at least 64-byte aligned
   */
  long address(int layer, int page);
}
