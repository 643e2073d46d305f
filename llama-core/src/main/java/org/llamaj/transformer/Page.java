package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;

/**
 * One page of the key-value cache. Several sequences may hold it, and the {@link PrefixIndex}; who
 * wants to write to it has to hold it alone.
 */
final class Page {
  final MemorySegment memory;

  /** How many hold it; guarded by the page's pool. */
  int holders = 1;

  Page(MemorySegment memory) {
    this.memory = memory;
  }
}
