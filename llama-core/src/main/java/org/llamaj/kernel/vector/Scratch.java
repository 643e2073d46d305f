package org.llamaj.kernel.vector;

import java.lang.foreign.Arena;

/** Memory of one worker for the call at hand; grows to the largest call and is then reused. */
final class Scratch {

  private final Arena arena;
  private long address;
  private long bytes;
  private long spareAddress;
  private long spareBytes;

  /** For decoders that write to the heap. */
  private float[] heap = {};

  Scratch(Arena arena) {
    this.arena = arena;
  }

  /** An address, 64-byte aligned, with room for so many floats. What was there before is lost. */
  long floats(long count) {
    long needed = 4 * count;
    if (bytes < needed) {
      bytes = Math.max(needed, 2 * bytes);
      address = arena.allocate(bytes, 64).address();
    }
    return address;
  }

  /** As {@link #floats} in another place, for decoders: what is at {@link #floats} stays. */
  long spare(long count) {
    long needed = 4 * count;
    if (spareBytes < needed) {
      spareBytes = Math.max(needed, 2 * spareBytes);
      spareAddress = arena.allocate(spareBytes, 64).address();
    }
    return spareAddress;
  }

  float[] heap(int count) {
    if (heap.length < count) {
      heap = new float[count];
    }
    return heap;
  }
}
