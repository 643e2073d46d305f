package org.llamaj.moe;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Asks the system to read weights that will be needed soon, while something else is computed. For
 * models larger than memory, and for the first tokens after a start: it does so only while the
 * process has to wait for the disk, because walking over pages that are there takes time too. Used
 * by one thread.
 */
final class ReadAhead {
  private static final int RUSAGE_SELF = 0;
  private static final long RUSAGE_BYTES = 144;
  private static final long MAJOR_FAULTS = 72;
  private static final int MADV_WILLNEED = 3;
  private static final long PAGE_MASK = -4096L;

  /** After how many layers without waiting it stops asking. */
  private static final int PATIENCE = 2000;

  private final MethodHandle madvise;
  private final MethodHandle getrusage;
  private final MemorySegment usage;
  private long majorFaults;
  private int patience = PATIENCE;
  private volatile long bytesRequested;

  private ReadAhead(MethodHandle madvise, MethodHandle getrusage, MemorySegment usage) {
    this.madvise = madvise;
    this.getrusage = getrusage;
    this.usage = usage;
  }

  /**
   * Looks for the system's functions.
   *
   * @param arena for a little memory
   * @return empty where native access is not enabled for this module, or the system is not a known
   *     one
   */
  static Optional<ReadAhead> open(Arena arena) {
    if (!isKnownSystem() || !ReadAhead.class.getModule().isNativeAccessEnabled()) {
      return Optional.empty();
    }
    Linker linker = Linker.nativeLinker();
    SymbolLookup library = linker.defaultLookup();
    return Optional.of(
        new ReadAhead(
            linker.downcallHandle(
                library.findOrThrow("madvise"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT)),
            linker.downcallHandle(
                library.findOrThrow("getrusage"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS)),
            arena.allocate(RUSAGE_BYTES, 8)));
  }

  private static boolean isKnownSystem() {
    String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return (name.startsWith("linux") || name.startsWith("mac"))
        && ValueLayout.ADDRESS.byteSize() == Long.BYTES;
  }

  /** Whether the process has waited for the disk lately. Asked once per layer. */
  boolean isUseful() {
    long faults = readMajorFaults();
    patience = faults == majorFaults ? Math.max(0, patience - 1) : PATIENCE;
    majorFaults = faults;
    return patience > 0;
  }

  /** Asks for weights; returns before they are there. */
  void request(Expert expert) {
    for (MemorySegment weights : expert.weights()) {
      long from = weights.address() & PAGE_MASK;
      long bytes = weights.address() + weights.byteSize() - from;
      call(() -> (int) madvise.invokeExact(from, bytes, MADV_WILLNEED));
      bytesRequested += weights.byteSize();
    }
  }

  /** How much was asked for so far. Thread-safe. */
  long bytesRequested() {
    return bytesRequested;
  }

  private long readMajorFaults() {
    call(() -> (int) getrusage.invokeExact(RUSAGE_SELF, usage));
    return usage.get(ValueLayout.JAVA_LONG, MAJOR_FAULTS);
  }

  private interface Call {
    int run() throws Throwable;
  }

  /** A hint that fails is no harm; that the call itself fails cannot be. */
  private static void call(Call call) {
    try {
      call.run();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
