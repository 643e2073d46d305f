package org.llamaj.kernel.x86;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** The three functions of the C library that make code executable. */
@SuppressWarnings("restricted") // X86KernelProvider reports it if native access is denied.
final class SystemCalls {
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXECUTE = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle MMAP =
      find(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MPROTECT =
      find("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final MethodHandle MUNMAP =
      find("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));

  private SystemCalls() {}

  private static MethodHandle find(String name, FunctionDescriptor type) {
    SymbolLookup library = LINKER.defaultLookup();
    return LINKER.downcallHandle(library.findOrThrow(name), type);
  }

  /** Private zeroed memory that can be written, or NULL if the system refuses. */
  static MemorySegment map(long bytes) {
    try {
      long address =
          (long) MMAP.invokeExact(0L, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      return address == -1
          ? MemorySegment.NULL
          : MemorySegment.ofAddress(address).reinterpret(bytes);
    } catch (Throwable t) {
      throw new IllegalStateException("mmap", t);
    }
  }

  /** Makes memory executable and no longer writable; false if the system refuses. */
  static boolean makeExecutable(MemorySegment memory) {
    try {
      return (int) MPROTECT.invokeExact(memory, memory.byteSize(), PROT_READ | PROT_EXECUTE) == 0;
    } catch (Throwable t) {
      throw new IllegalStateException("mprotect", t);
    }
  }

  static void unmap(MemorySegment memory) {
    try {
      int ignored = (int) MUNMAP.invokeExact(memory, memory.byteSize());
    } catch (Throwable t) {
      throw new IllegalStateException("munmap", t);
    }
  }

  /** A handle on a function whose address is the first argument; no more than six longs. */
  static MethodHandle function(boolean isShort, boolean returnsLong, int arguments) {
    MemoryLayout[] longs = new MemoryLayout[arguments];
    java.util.Arrays.fill(longs, JAVA_LONG);
    FunctionDescriptor type =
        returnsLong ? FunctionDescriptor.of(JAVA_LONG, longs) : FunctionDescriptor.ofVoid(longs);
    // A critical call costs a few nanoseconds less, but the collector has to wait for its return.
    return isShort
        ? LINKER.downcallHandle(type, Linker.Option.critical(false))
        : LINKER.downcallHandle(type);
  }
}
