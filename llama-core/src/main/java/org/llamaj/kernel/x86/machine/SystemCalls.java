package org.llamaj.kernel.x86.machine;

import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/**
 * What is asked of the operating system: memory that can be made executable, and the use of tiles.
 */
@SuppressWarnings("restricted") // X86KernelProvider reports it if native access is denied.
public final class SystemCalls {
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXECUTE = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private static final SymbolLookup LIBRARY = Linker.nativeLinker().defaultLookup();
  private static final MemorySegment MMAP = LIBRARY.findOrThrow("mmap");
  private static final MemorySegment MPROTECT = LIBRARY.findOrThrow("mprotect");
  private static final MemorySegment MUNMAP = LIBRARY.findOrThrow("munmap");
  private static final MemorySegment SYSCALL = LIBRARY.findOrThrow("syscall");

  private static final int ARCH_PRCTL = 158;
  private static final int ARCH_REQ_XCOMP_PERM = 0x1023;
  private static final int TILE_DATA = 18;

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

  /**
   * Asks Linux to let this process use AMX: its registers are so large that threads get room for
   * them only where a process wants it. To ask again changes nothing. Since Linux 5.16.
   *
   * @return false if the system refuses
   */
  public static boolean permitTiles() {
    return NativeCall.call(SYSCALL, ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, TILE_DATA, 0, 0, 0) == 0;
  }
}
