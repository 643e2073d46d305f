package org.llamaj.kernel.x86.machine;

import java.lang.foreign.MemorySegment;

/** Memory with none behind it: whoever reads on ends the process. */
public final class MemoryEdge implements AutoCloseable {
  private static final int PAGE = 4096;

  private final MemorySegment pages;
  private final MemorySegment last;

  /** Memory of at least so many bytes. */
  public MemoryEdge(long bytes) {
    long size = Math.ceilDiv(bytes, PAGE) * PAGE;
    MemorySegment memory = SystemCalls.map(size + PAGE);
    SystemCalls.unmap(memory.asSlice(size));
    pages = memory.asSlice(0, size);
    last = pages.asSlice(size - bytes);
  }

  /** The last bytes before the edge, as many as were asked for. */
  public MemorySegment last() {
    return last;
  }

  @Override
  public void close() {
    SystemCalls.unmap(pages);
  }
}
