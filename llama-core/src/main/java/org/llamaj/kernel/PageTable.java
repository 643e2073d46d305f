package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;

/**
 * The cache pages of one sequence in one layer: page i holds the tokens from i x {@link
 * AttentionShape#PAGE_TOKENS} on.
 */
public interface PageTable {

  /**
   * A page's memory.
   *
   * @param page index of the page
   * @return {@link AttentionShape#pageBytes} bytes
   */
  MemorySegment segment(int page);

  /**
   * The address of a page, for kernels that compute addresses themselves.
   *
   * @param page index of the page
   * @return a raw address, at least 64-byte aligned
   */
  long address(int page);
}
