package org.llamaj.kernel.cuda.driver;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.IntConsumer;

/** Makes handles of a library's functions, most of which return a status. */
@SuppressWarnings("restricted")
record Calls(String library, SymbolLookup lookup) {

  /** Longest text that is read from CUDA. */
  private static final long TEXT = 1 << 20;

  MethodHandle status(String name, MemoryLayout... parameters) {
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
  }

  MethodHandle text(String name, MemoryLayout... parameters) {
    return handle(name, FunctionDescriptor.of(ValueLayout.ADDRESS, parameters));
  }

  /** A function of no arguments that returns a {@code size_t}. */
  MethodHandle number(String name) {
    return handle(name, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  private MethodHandle handle(String name, FunctionDescriptor descriptor) {
    MemorySegment symbol =
        lookup
            .find(name)
            .orElseThrow(
                () ->
                    new CudaException(
                        0,
                        "%s has no function %s: it is older than CUDA 11.4; update it"
                            .formatted(library, name)));
    return Linker.nativeLinker().downcallHandle(symbol, descriptor);
  }

  /**
   * Calls a function, and makes its handle for this one time: not for what is called often.
   *
   * @return its status
   */
  int call(String name, MemoryLayout[] layouts, Object... arguments) {
    MethodHandle function = status(name, layouts);
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw impossible(t);
    }
  }

  /**
   * Calls a function that gives a handle (or anything else of 64 bits) through its first parameter.
   *
   * @param further layouts of the other parameters
   * @param check throws where the status tells of a failure
   */
  long create(String name, MemoryLayout[] further, IntConsumer check, Object... arguments) {
    MemoryLayout[] layouts = new MemoryLayout[further.length + 1];
    layouts[0] = ValueLayout.ADDRESS;
    System.arraycopy(further, 0, layouts, 1, further.length);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(ValueLayout.JAVA_LONG);
      Object[] all = new Object[arguments.length + 1];
      all[0] = result;
      System.arraycopy(arguments, 0, all, 1, arguments.length);
      check.accept(call(name, layouts, all));
      return result.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** Text that CUDA points to. */
  static String string(MemorySegment address) {
    return address.equals(MemorySegment.NULL) ? null : address.reinterpret(TEXT).getString(0);
  }

  /** What no call of a C function throws. */
  static AssertionError impossible(Throwable thrown) {
    return new AssertionError("a call of a C function threw", thrown);
  }
}
