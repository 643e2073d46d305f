package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.llamaj.LlamaException;

/** Anonymous memory that the system backs with huge pages. Linux only. */
final class HugePages {
  private static final long HUGE_PAGE = 2L << 20;

  // From the Linux headers mman-common.h and mman.h.
  private static final int PROT_READ_WRITE = 0x1 | 0x2;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x2 | 0x20;
  private static final int MADV_HUGEPAGE = 14;

  private HugePages() {}

  /**
   * Memory that has not been touched yet when the system is told to use huge pages for it.
   *
   * @param bytes how much
   * @param arena owns it
   * @throws LlamaException if the system has no huge pages or not enough memory
   */
  static MemorySegment allocate(long bytes, Arena arena) {
    if (!System.getProperty("os.name").equals("Linux")) {
      throw new LlamaException(
          "huge pages: expected Linux, found %s; load with Residency.MAPPED"
              .formatted(System.getProperty("os.name")));
    }
    Linker linker = Linker.nativeLinker();
    SymbolLookup libc = linker.defaultLookup();
    ValueLayout.OfLong word = ValueLayout.JAVA_LONG;
    ValueLayout.OfInt number = ValueLayout.JAVA_INT;
    MethodHandle mmap =
        linker.downcallHandle(
            libc.findOrThrow("mmap"),
            FunctionDescriptor.of(word, word, word, number, number, number, word));
    MethodHandle munmap =
        linker.downcallHandle(
            libc.findOrThrow("munmap"), FunctionDescriptor.of(number, word, word));
    MethodHandle madvise =
        linker.downcallHandle(
            libc.findOrThrow("madvise"), FunctionDescriptor.of(number, word, word, number));
    long reserved = bytes + HUGE_PAGE;
    try {
      long address =
          (long) mmap.invokeExact(0L, reserved, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (address == -1) {
        throw new LlamaException(
            "huge pages: the system gives no %d MiB for a copy of the weights; load with Residency.MAPPED"
                .formatted(reserved >> 20));
      }
      MemorySegment memory =
          MemorySegment.ofAddress(address)
              .reinterpret(reserved, arena, segment -> unmap(munmap, segment, reserved));
      int advised = (int) madvise.invokeExact(address, reserved, MADV_HUGEPAGE);
      if (advised != 0) {
        throw new LlamaException(
            "huge pages: switched off in this system's kernel (see /sys/kernel/mm/transparent_hugepage/enabled); load with Residency.MAPPED");
      }
      return memory.asSlice(-address & (HUGE_PAGE - 1), bytes);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  private static void unmap(MethodHandle munmap, MemorySegment segment, long bytes) {
    try {
      int result = (int) munmap.invokeExact(segment.address(), bytes);
      assert result == 0;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }
}
