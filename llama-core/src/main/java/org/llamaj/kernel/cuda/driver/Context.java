package org.llamaj.kernel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One user's hold on a device's primary context, with the memory, modules and streams that were
 * opened through it; all are given back when it is closed. Thread-safe, but {@link #makeCurrent} is
 * for the calling thread only.
 */
public final class Context implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Context.class);
  private static final int LOG_BYTES = 8192;
  private static final int ERROR_LOG = 5; // of CUjit_option
  private static final int ERROR_LOG_BYTES = 6;

  private final Driver driver;
  private final Device device;
  private final long context;
  private final Set<Long> memory = new HashSet<>();
  private final Deque<Long> modules = new ArrayDeque<>();
  private final List<Stream> streams = new ArrayList<>();
  private boolean closed;

  /**
   * Opens the device.
   *
   * @param driver an open driver
   * @param device one of its devices
   * @throws CudaException if the device cannot be used, by policy or because another program has it
   */
  public Context(Driver driver, Device device) {
    this.driver = driver;
    this.device = device;
    context =
        driver.create(
            "cuDevicePrimaryCtxRetain",
            "cuDevicePrimaryCtxRetain",
            new MemoryLayout[] {JAVA_INT},
            device.handle());
  }

  /**
   * The device.
   *
   * @return as it was given
   */
  public Device device() {
    return device;
  }

  /** Makes the context that of the calling thread. Cheap; needed before other calls. */
  public void makeCurrent() {
    driver.setCurrent(context);
  }

  /**
   * Opens a stream: a queue of work on the device.
   *
   * @return closed with the context
   */
  public synchronized Stream newStream() {
    Stream stream = new Stream(driver);
    streams.add(stream);
    return stream;
  }

  /**
   * How much memory nobody uses.
   *
   * @return bytes
   */
  public long freeMemory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment total = arena.allocate(JAVA_LONG);
      return driver.create("cuMemGetInfo", "cuMemGetInfo_v2", new MemoryLayout[] {ADDRESS}, total);
    }
  }

  /**
   * Takes memory of the device.
   *
   * @param bytes at least 1
   * @return its address, a multiple of 256
   * @throws CudaException if there is not enough
   */
  public synchronized long allocate(long bytes) {
    long address =
        driver.create("cuMemAlloc", "cuMemAlloc_v2", new MemoryLayout[] {JAVA_LONG}, bytes);
    memory.add(address);
    return address;
  }

  /**
   * Gives memory back.
   *
   * @param address what {@link #allocate} returned
   */
  public synchronized void free(long address) {
    if (memory.remove(address)) {
      driver.perform("cuMemFree", "cuMemFree_v2", new MemoryLayout[] {JAVA_LONG}, address);
    }
  }

  /**
   * Loads machine code.
   *
   * @param image a cubin, or PTX as text
   * @return the module
   * @throws CudaException with the log of the driver's compiler if it does not take the image
   */
  public synchronized long load(byte[] image) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(image.length + 1L); // text ends with 0
      MemorySegment.copy(image, 0, bytes, JAVA_BYTE, 0, image.length);
      MemorySegment log = arena.allocate(LOG_BYTES);
      MemorySegment options = arena.allocateFrom(JAVA_INT, ERROR_LOG, ERROR_LOG_BYTES);
      MemorySegment values = arena.allocateFrom(JAVA_LONG, log.address(), LOG_BYTES);
      long module;
      try {
        module =
            driver.create(
                "cuModuleLoadData",
                "cuModuleLoadDataEx",
                new MemoryLayout[] {ADDRESS, JAVA_INT, ADDRESS, ADDRESS},
                bytes,
                2,
                options,
                values);
      } catch (CudaException e) {
        String text = log.getString(0);
        throw text.isEmpty() ? e : new CudaException(e.code(), e.getMessage() + ": " + text);
      }
      modules.push(module);
      return module;
    }
  }

  /**
   * Finds a kernel.
   *
   * @param module what {@link #load} returned
   * @param name of an {@code extern "C"} function
   * @return the function
   */
  public long function(long module, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return driver.create(
          "cuModuleGetFunction(" + name + ")",
          "cuModuleGetFunction",
          new MemoryLayout[] {JAVA_LONG, ADDRESS},
          module,
          arena.allocateFrom(name));
    }
  }

  /** Gives everything back. A device that is lost has taken it already: errors are not reported. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    quietly(this::makeCurrent);
    streams.forEach(stream -> quietly(stream::synchronize));
    streams.forEach(stream -> quietly(stream::close));
    new ArrayList<>(memory).forEach(address -> quietly(() -> free(address)));
    while (!modules.isEmpty()) {
      long module = modules.pop();
      quietly(
          () ->
              driver.perform(
                  "cuModuleUnload", "cuModuleUnload", new MemoryLayout[] {JAVA_LONG}, module));
    }
    quietly(
        () ->
            driver.perform(
                "cuDevicePrimaryCtxRelease",
                "cuDevicePrimaryCtxRelease_v2",
                new MemoryLayout[] {JAVA_INT},
                device.handle()));
  }

  static void quietly(Runnable call) {
    try {
      call.run();
    } catch (CudaException e) {
      LOG.debug("while closing a device: {}", e.getMessage());
    }
  }
}
