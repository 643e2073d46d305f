package org.llamaj.kernel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The part of CUDA's driver API that is used, each call checked. Pointers of the device and handles
 * are longs. Function names with {@code _v2} are what the headers' plain names stand for.
 *
 * <p>Thread-safe, as the driver is. Calls that are not about the device itself need a context that
 * is current in the calling thread: see {@link Context#makeCurrent}.
 */
public final class Driver {
  private static final int CLOCK_KILOHERTZ = 13; // of CUdevice_attribute
  private static final int MULTIPROCESSORS = 16;
  private static final int MEMORY_CLOCK_KILOHERTZ = 36;
  private static final int MEMORY_BITS = 37;
  private static final int MAJOR = 75;
  private static final int MINOR = 76;
  private static final int NAME_BYTES = 256;

  private final Calls calls;
  private final MethodHandle errorName;
  private final MethodHandle errorText;
  private final MethodHandle setCurrent;
  private final MethodHandle launch;
  private final MethodHandle synchronize;
  private final MethodHandle toDevice;
  private final MethodHandle toHost;
  private final MethodHandle within;
  private final MethodHandle fill;
  private final MethodHandle launchGraph;

  private Driver(SymbolLookup library) {
    calls = new Calls("CUDA's driver", library);
    errorName = calls.status("cuGetErrorName", JAVA_INT, ADDRESS);
    errorText = calls.status("cuGetErrorString", JAVA_INT, ADDRESS);
    setCurrent = calls.status("cuCtxSetCurrent", JAVA_LONG);
    launch =
        calls.status(
            "cuLaunchKernel",
            JAVA_LONG, // function
            JAVA_INT, // grid
            JAVA_INT,
            JAVA_INT,
            JAVA_INT, // block
            JAVA_INT,
            JAVA_INT,
            JAVA_INT, // bytes of shared memory
            JAVA_LONG, // stream
            ADDRESS, // parameters
            ADDRESS);
    synchronize = calls.status("cuStreamSynchronize", JAVA_LONG);
    toDevice = calls.status("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    toHost = calls.status("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    within = calls.status("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    fill = calls.status("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
    launchGraph = calls.status("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
  }

  /**
   * Loads the driver.
   *
   * @return empty if there is none
   * @throws CudaException if it cannot be initialised, for lack of a device for example
   */
  public static Optional<Driver> open() {
    Optional<Driver> driver = Libraries.driver().map(Driver::new);
    driver.ifPresent(d -> d.call("cuInit", d.calls.status("cuInit", JAVA_INT), 0));
    return driver;
  }

  /**
   * The devices, in CUDA's order (the fastest first, or as {@code CUDA_VISIBLE_DEVICES} says).
   *
   * @return may be empty
   */
  public List<Device> devices() {
    int count = intOf("cuDeviceGetCount");
    List<Device> devices = new ArrayList<>();
    for (int ordinal = 0; ordinal < count; ordinal++) {
      devices.add(device(ordinal));
    }
    return devices;
  }

  private Device device(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(JAVA_INT);
      call("cuDeviceGet", calls.status("cuDeviceGet", ADDRESS, JAVA_INT), handle, ordinal);
      int device = handle.get(JAVA_INT, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      call(
          "cuDeviceGetName",
          calls.status("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT),
          name,
          NAME_BYTES,
          device);
      MemorySegment bytes = arena.allocate(JAVA_LONG);
      call(
          "cuDeviceTotalMem",
          calls.status("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT),
          bytes,
          device);
      return new Device(
          device,
          ordinal,
          name.getString(0),
          attribute(device, MAJOR),
          attribute(device, MINOR),
          attribute(device, MULTIPROCESSORS),
          bytes.get(JAVA_LONG, 0),
          1000L * attribute(device, CLOCK_KILOHERTZ),
          1000L * attribute(device, MEMORY_CLOCK_KILOHERTZ),
          attribute(device, MEMORY_BITS));
    }
  }

  private int attribute(int device, int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_INT);
      call(
          "cuDeviceGetAttribute",
          calls.status("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT),
          value,
          attribute,
          device);
      return value.get(JAVA_INT, 0);
    }
  }

  private int intOf(String function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_INT);
      call(function, calls.status(function, ADDRESS), value);
      return value.get(JAVA_INT, 0);
    }
  }

  /** A call that gives a handle (or anything else of 64 bits) through its first parameter. */
  long create(String name, String symbol, MemoryLayout[] further, Object... arguments) {
    return calls.create(symbol, further, status -> check(name, status), arguments);
  }

  /** A call that is not made often. */
  void perform(String name, String symbol, MemoryLayout[] layouts, Object... arguments) {
    check(name, calls.call(symbol, layouts, arguments));
  }

  private void call(String name, MethodHandle handle, Object... arguments) {
    int status;
    try {
      status = (int) handle.invokeWithArguments(arguments);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check(name, status);
  }

  private void check(String name, int status) {
    if (status != 0) {
      throw failure(name, status);
    }
  }

  private CudaException failure(String name, int status) {
    String error = describe(errorName, status);
    String text = describe(errorText, status);
    return new CudaException(
        status,
        "%s: %s%s"
            .formatted(
                name,
                error == null ? "error " + status : error,
                text == null ? "" : " (" + text + ")"));
  }

  private static String describe(MethodHandle function, int status) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ADDRESS);
      int known = (int) function.invokeExact(status, pointer);
      return known == 0 ? Calls.string(pointer.get(ADDRESS, 0)) : null;
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
  }

  void setCurrent(long context) {
    int status;
    try {
      status = (int) setCurrent.invokeExact(context);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuCtxSetCurrent", status);
  }

  void launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int threads,
      int sharedBytes,
      long stream,
      MemorySegment parameters) {
    int status;
    try {
      status =
          (int)
              launch.invokeExact(
                  function,
                  gridX,
                  gridY,
                  gridZ,
                  threads,
                  1,
                  1,
                  sharedBytes,
                  stream,
                  parameters,
                  MemorySegment.NULL);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuLaunchKernel", status);
  }

  void synchronize(long stream) {
    int status;
    try {
      status = (int) synchronize.invokeExact(stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuStreamSynchronize", status);
  }

  void copyToDevice(long target, MemorySegment source, long bytes, long stream) {
    int status;
    try {
      status = (int) toDevice.invokeExact(target, source, bytes, stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuMemcpyHtoDAsync", status);
  }

  void copyToHost(MemorySegment target, long source, long bytes, long stream) {
    int status;
    try {
      status = (int) toHost.invokeExact(target, source, bytes, stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuMemcpyDtoHAsync", status);
  }

  void copy(long target, long source, long bytes, long stream) {
    int status;
    try {
      status = (int) within.invokeExact(target, source, bytes, stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuMemcpyDtoDAsync", status);
  }

  void fill(long target, byte value, long bytes, long stream) {
    int status;
    try {
      status = (int) fill.invokeExact(target, value, bytes, stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuMemsetD8Async", status);
  }

  void launchGraph(long graph, long stream) {
    int status;
    try {
      status = (int) launchGraph.invokeExact(graph, stream);
    } catch (Throwable t) {
      throw Calls.impossible(t);
    }
    check("cuGraphLaunch", status);
  }
}
