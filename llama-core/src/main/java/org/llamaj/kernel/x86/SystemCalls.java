package org.llamaj.kernel.x86;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/** The three functions of the C library that make code executable. */
@SuppressWarnings("restricted") // X86KernelProvider reports it if native access is denied.
final class SystemCalls {
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXECUTE = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private static final SymbolLookup LIBRARY = Linker.nativeLinker().defaultLookup();
  private static final MemorySegment MMAP = LIBRARY.findOrThrow("mmap");
  private static final MemorySegment MPROTECT = LIBRARY.findOrThrow("mprotect");
  private static final MemorySegment MUNMAP = LIBRARY.findOrThrow("munmap");

  private SystemCalls() {}

  /** Private zeroed memory that can be written, or NULL if the system refuses. */
  static MemorySegment map(long bytes) {
    long address =
        NativeCall.call(MMAP, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    return address == -1 ? MemorySegment.NULL : MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Makes memory executable and no longer writable; false if the system refuses. */
  static boolean makeExecutable(MemorySegment memory) {
    int protection = PROT_READ | PROT_EXECUTE;
    return (int) NativeCall.call(MPROTECT, memory.address(), memory.byteSize(), protection, 0, 0, 0)
        == 0;
  }

  static void unmap(MemorySegment memory) {
    NativeCall.call(MUNMAP, memory.address(), memory.byteSize(), 0, 0, 0, 0);
  }
}
