package org.llamaj.moe;

import java.lang.foreign.MemorySegment;

/**
 * Asks the system to read weights that will be needed soon, while something else is computed. For
 * models larger than memory, and for the first tokens after a start: it does so only while the
 * process has to wait for the disk, because walking over pages that are there takes time too. Used
 * by one thread.
 */
final class ReadAhead {

  /** After how many layers without waiting it stops asking. */
  private static final int PATIENCE = 2000;

  private final VirtualMemory memory;
  private long majorFaults;
  private int patience = PATIENCE;
  private volatile long bytesAsked;
  private volatile long bytesFound;

  ReadAhead(VirtualMemory memory) {
    this.memory = memory;
  }

  /** Whether the process has waited for the disk lately. Asked once per layer. */
  boolean isUseful() {
    long faults = memory.majorFaults();
    patience = faults == majorFaults ? Math.max(0, patience - 1) : PATIENCE;
    majorFaults = faults;
    return patience > 0;
  }

  /**
   * Asks for weights; returns before they are there.
   *
   * @return the bytes that were in memory already
   */
  long request(Expert expert) {
    long found = 0;
    for (MemorySegment weights : expert.weights()) {
      long resident = memory.residentBytes(weights);
      if (resident < weights.byteSize()) {
        memory.willNeed(weights);
      }
      found += resident;
    }
    bytesAsked += expert.bytes();
    bytesFound += found;
    return found;
  }

  /** How much was asked for so far. Thread-safe. */
  long bytesAsked() {
    return bytesAsked;
  }

  /** How much of it was in memory already: the hits. Thread-safe. */
  long bytesFound() {
    return bytesFound;
  }
}
