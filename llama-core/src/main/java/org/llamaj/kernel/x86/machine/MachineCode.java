package org.llamaj.kernel.x86.machine;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.LlamaException;

/**
 * A function in executable memory. The memory is writable until the code is in it and executable
 * from then on, never both. Callable from several threads at once; not after {@link #close}.
 */
public final class MachineCode implements AutoCloseable {
  private static final int PAGE = 4096;

  private final MemorySegment memory;

  /**
   * Installs code.
   *
   * @throws LlamaException if the system does not let this process make memory executable
   */
  MachineCode(byte[] code) {
    long bytes = (code.length + PAGE - 1L) / PAGE * PAGE;
    memory = SystemCalls.map(bytes);
    if (memory.equals(MemorySegment.NULL)) {
      throw new LlamaException("the system gave no memory for " + code.length + " bytes of code");
    }
    MemorySegment.copy(code, 0, memory, ValueLayout.JAVA_BYTE, 0, code.length);
    if (!SystemCalls.makeExecutable(memory)) {
      SystemCalls.unmap(memory);
      throw new LlamaException(
          "the system does not let this process make memory executable (a policy of SELinux or of"
              + " the container)");
    }
  }

  /** Where the code is. */
  public long address() {
    return memory.address();
  }

  /** Calls the function. Meaning and number of the arguments are the code's own. */
  public void call(long a, long b, long c, long d, long e, long f) {
    NativeCall.call(memory, a, b, c, d, e, f);
  }

  /**
   * Calls the function with less overhead, but garbage collection has to wait until it returns: for
   * work of microseconds.
   */
  public void callShort(long a, long b, long c, long d, long e, long f) {
    NativeCall.callShort(memory, a, b, c, d, e, f);
  }

  @Override
  public void close() {
    SystemCalls.unmap(memory);
  }
}
