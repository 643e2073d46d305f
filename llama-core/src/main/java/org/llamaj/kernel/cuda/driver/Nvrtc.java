package org.llamaj.kernel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/** CUDA's compiler as a library. Needs no device. Thread-safe. */
public final class Nvrtc {
  private final Calls calls;
  private final String version;

  private Nvrtc(SymbolLookup library) {
    calls = new Calls("NVRTC", library);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(JAVA_INT);
      MemorySegment minor = arena.allocate(JAVA_INT);
      check(
          "nvrtcVersion", invoke(calls.status("nvrtcVersion", ADDRESS, ADDRESS), major, minor), "");
      version = major.get(JAVA_INT, 0) + "." + minor.get(JAVA_INT, 0);
    }
  }

  /**
   * Looks for the compiler.
   *
   * @return empty if there is none
   */
  public static Optional<Nvrtc> open() {
    return Libraries.nvrtc().map(Nvrtc::new);
  }

  /**
   * The compiler's version.
   *
   * @return for example {@code 13.0}
   */
  public String version() {
    return version;
  }

  /**
   * Whether an error means that this compiler does not know the device's architecture.
   *
   * @param error thrown by {@link #compile}
   * @return false for errors in the source
   */
  public static boolean isUnknownArchitecture(CudaException error) {
    return error.code() == CudaException.NVRTC_INVALID_OPTION;
  }

  /**
   * Compiles to machine code.
   *
   * @param name what messages call the source
   * @param source CUDA C++
   * @param architecture for example {@code sm_90}
   * @return a cubin
   * @throws CudaException with the compiler's log
   */
  public byte[] compile(String name, String source, String architecture) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(ADDRESS);
      check(
          "nvrtcCreateProgram",
          invoke(
              calls.status(
                  "nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS),
              program,
              arena.allocateFrom(source),
              arena.allocateFrom(name),
              0,
              MemorySegment.NULL,
              MemorySegment.NULL),
          "");
      MemorySegment handle = program.get(ADDRESS, 0);
      try {
        return compile(handle, name, architecture, arena);
      } finally {
        invoke(calls.status("nvrtcDestroyProgram", ADDRESS), program);
      }
    }
  }

  private byte[] compile(MemorySegment program, String name, String architecture, Arena arena) {
    List<String> options = List.of("--gpu-architecture=" + architecture, "--std=c++17");
    MemorySegment array = arena.allocate(ADDRESS, options.size());
    for (int i = 0; i < options.size(); i++) {
      array.setAtIndex(ADDRESS, i, arena.allocateFrom(options.get(i)));
    }
    int status =
        invoke(
            calls.status("nvrtcCompileProgram", ADDRESS, JAVA_INT, ADDRESS),
            program,
            options.size(),
            array);
    if (status != 0) {
      check("compiling " + name + " for " + architecture, status, ":\n" + log(program, arena));
    }
    MemorySegment image = arena.allocate(size("nvrtcGetCUBINSize", program, arena));
    check(
        "nvrtcGetCUBIN",
        invoke(calls.status("nvrtcGetCUBIN", ADDRESS, ADDRESS), program, image),
        "");
    return image.toArray(JAVA_BYTE);
  }

  private String log(MemorySegment program, Arena arena) {
    MemorySegment text = arena.allocate(size("nvrtcGetProgramLogSize", program, arena));
    check(
        "nvrtcGetProgramLog",
        invoke(calls.status("nvrtcGetProgramLog", ADDRESS, ADDRESS), program, text),
        "");
    return text.getString(0);
  }

  private long size(String function, MemorySegment program, Arena arena) {
    MemorySegment bytes = arena.allocate(JAVA_LONG);
    check(function, invoke(calls.status(function, ADDRESS, ADDRESS), program, bytes), "");
    return bytes.get(JAVA_LONG, 0);
  }

  private void check(String what, int status, String log) {
    if (status != 0) {
      throw new CudaException(status, "%s: %s%s".formatted(what, text(status), log));
    }
  }

  private String text(int status) {
    try {
      return Calls.string(
          (MemorySegment) calls.text("nvrtcGetErrorString", JAVA_INT).invokeExact(status));
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
  }

  private static int invoke(MethodHandle function, Object... arguments) {
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
  }
}
