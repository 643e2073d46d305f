package org.llamaj.kernel.x86.machine;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Calls of functions by address. All take six integers and give one: in the System V convention
 * these are registers, so a function that takes fewer, or 32-bit ones, or gives nothing, is called
 * in the same way. A single signature keeps the start short, as the JVM makes code for each.
 */
@SuppressWarnings("restricted") // X86KernelProvider reports it if native access is denied.
final class NativeCall {
  private static final FunctionDescriptor TYPE =
      FunctionDescriptor.of(
          JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(TYPE);
  private static final MethodHandle CALL_SHORT =
      Linker.nativeLinker().downcallHandle(TYPE, Linker.Option.critical(false));

  private NativeCall() {}

  /** Calls a function. */
  static long call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw new IllegalStateException("native call", t);
    }
  }

  /**
   * Calls a function of microseconds: some nanoseconds cheaper, but garbage collection has to wait
   * until it returns.
   */
  static long callShort(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) CALL_SHORT.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw new IllegalStateException("native call", t);
    }
  }
}
