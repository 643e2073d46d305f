package org.llamaj.kernel.x86.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that grows to the largest size asked for; growing loses what was in it. */
public final class Scratch implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  private Arena arena = Arena.ofShared();
  private MemorySegment memory = MemorySegment.NULL;

  /** The address of at least so many bytes, aligned to 64. */
  public long address(long bytes) {
    if (memory.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      memory = arena.allocate(bytes, ALIGNMENT);
    }
    return memory.address();
  }

  /** The memory of the last {@link #address}. */
  public MemorySegment memory() {
    return memory;
  }

  @Override
  public void close() {
    arena.close();
  }
}
