package org.llamaj.moe;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * What the system (Linux, macOS) can be told and asked about mapped weights: see the manual pages
 * of madvise, mincore, mlock and getrusage. Used by one thread.
 */
final class VirtualMemory {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  private static final int RUSAGE_SELF = 0;
  private static final long RUSAGE_BYTES = 144;
  private static final long MAJOR_FAULTS = 72;
  private static final int MADV_WILLNEED = 3;

  /** How many pages are asked about at once. */
  private static final int PAGES_AT_ONCE = 1024;

  private final MethodHandle madvise;
  private final MethodHandle mincore;
  private final MethodHandle mlock;
  private final MethodHandle munlock;
  private final MethodHandle getrusage;
  private final long pageSize;
  private final MemorySegment usage;
  private final MemorySegment pageStates;

  private VirtualMemory(Linker linker, Arena arena) throws Throwable {
    MemoryLayout address = ValueLayout.ADDRESS;
    madvise = function(linker, "madvise", LONG, LONG, INT);
    mincore = function(linker, "mincore", LONG, LONG, address);
    mlock = function(linker, "mlock", LONG, LONG);
    munlock = function(linker, "munlock", LONG, LONG);
    getrusage = function(linker, "getrusage", INT, address);
    pageSize = (int) function(linker, "getpagesize").invokeExact();
    usage = arena.allocate(RUSAGE_BYTES, 8);
    pageStates = arena.allocate(PAGES_AT_ONCE);
  }

  /**
   * Looks for the system's functions.
   *
   * @param arena for a little memory
   * @return empty where native access is not enabled for this module, or the system is not a known
   *     one
   */
  static Optional<VirtualMemory> open(Arena arena) {
    if (!isKnownSystem() || !VirtualMemory.class.getModule().isNativeAccessEnabled()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new VirtualMemory(Linker.nativeLinker(), arena));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static boolean isKnownSystem() {
    String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return (name.startsWith("linux") || name.startsWith("mac"))
        && ValueLayout.ADDRESS.byteSize() == Long.BYTES;
  }

  private static MethodHandle function(Linker linker, String name, MemoryLayout... arguments) {
    SymbolLookup library = linker.defaultLookup();
    return linker.downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(INT, arguments));
  }

  /** How often this process has waited for the disk because memory was not there. */
  long majorFaults() {
    call(() -> (int) getrusage.invokeExact(RUSAGE_SELF, usage));
    return usage.get(LONG, MAJOR_FAULTS);
  }

  /** Asks for mapped memory to be read; returns before it is there. */
  void willNeed(MemorySegment memory) {
    long from = firstPage(memory);
    long bytes = end(memory) - from;
    call(() -> (int) madvise.invokeExact(from, bytes, MADV_WILLNEED));
  }

  /** How much of mapped memory is there, in whole pages. */
  long residentBytes(MemorySegment memory) {
    long resident = 0;
    long end = end(memory);
    for (long page = firstPage(memory); page < end; page += PAGES_AT_ONCE * pageSize) {
      long from = page;
      long bytes = Math.min(end - page, PAGES_AT_ONCE * pageSize);
      if (call(() -> (int) mincore.invokeExact(from, bytes, pageStates)) != 0) {
        return memory.byteSize(); // not mapped from a file: nothing to read
      }
      for (long i = 0; i < Math.ceilDiv(bytes, pageSize); i++) {
        resident += (pageStates.get(ValueLayout.JAVA_BYTE, i) & 1) * pageSize;
      }
    }
    return Math.min(resident, memory.byteSize());
  }

  /** Reads mapped memory and keeps it from being dropped; false if the system does not allow it. */
  boolean lock(MemorySegment memory) {
    long from = firstPage(memory);
    long bytes = end(memory) - from;
    return call(() -> (int) mlock.invokeExact(from, bytes)) == 0;
  }

  /** Lets memory be dropped again. Memory that is unmapped needs no unlocking. */
  void unlock(MemorySegment memory) {
    long from = firstPage(memory);
    long bytes = end(memory) - from;
    call(() -> (int) munlock.invokeExact(from, bytes));
  }

  private long firstPage(MemorySegment memory) {
    return memory.address() & -pageSize;
  }

  private static long end(MemorySegment memory) {
    return memory.address() + memory.byteSize();
  }

  private interface Call {
    int run() throws Throwable;
  }

  private static int call(Call call) {
    try {
      return call.run();
    } catch (Throwable e) {
      throw new AssertionError(e); // these functions throw nothing
    }
  }
}
