package org.llamaj.kernel.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;

/**
 * A queue of work on a device, done in order. For one thread at a time, in which the context is
 * current.
 */
public final class Stream {
  private static final int NON_BLOCKING = 1; // of CUstream_flags
  private static final int THREAD_LOCAL = 1; // of CUstreamCaptureMode

  private final Driver driver;
  private final long stream;
  private final Set<Long> graphs = new HashSet<>();

  Stream(Driver driver) {
    this.driver = driver;
    stream =
        driver.create(
            "cuStreamCreate", "cuStreamCreate", new MemoryLayout[] {JAVA_INT}, NON_BLOCKING);
  }

  /**
   * Puts a kernel into the stream.
   *
   * @param function the kernel
   * @param gridX blocks
   * @param gridY blocks
   * @param gridZ blocks
   * @param threads of a block
   * @param sharedBytes of a block
   * @param parameters addresses of the parameters, one after another
   */
  public void launch(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int threads,
      int sharedBytes,
      MemorySegment parameters) {
    driver.launch(function, gridX, gridY, gridZ, threads, sharedBytes, stream, parameters);
  }

  /** As other libraries take it. */
  long handle() {
    return stream;
  }

  /**
   * Copies to the device. The source may be changed when this returns.
   *
   * @param source memory outside the heap that is not pinned
   * @param target address on the device
   */
  public void copyToDevice(MemorySegment source, long target) {
    driver.copyToDevice(target, source, source.byteSize(), stream);
  }

  /**
   * Copies from the device. The copy is there after {@link #synchronize}.
   *
   * @param source address on the device
   * @param target memory outside the heap
   */
  public void copyToHost(long source, MemorySegment target) {
    driver.copyToHost(target, source, target.byteSize(), stream);
  }

  /**
   * Copies within the device.
   *
   * @param source address on the device
   * @param target address on the device
   * @param bytes how many
   */
  public void copy(long source, long target, long bytes) {
    driver.copy(target, source, bytes, stream);
  }

  /**
   * Fills memory of the device with zeros.
   *
   * @param target address on the device
   * @param bytes how many
   */
  public void clear(long target, long bytes) {
    driver.fill(target, (byte) 0, bytes, stream);
  }

  /** Waits until all that was put into the stream is done. */
  public void synchronize() {
    driver.synchronize(stream);
  }

  /**
   * Records what is put into the stream instead of doing it.
   *
   * @param launches puts kernels into the stream
   * @return a graph, for {@link #launchGraph}
   */
  public long record(Runnable launches) {
    driver.perform(
        "cuStreamBeginCapture",
        "cuStreamBeginCapture_v2",
        new MemoryLayout[] {JAVA_LONG, JAVA_INT},
        stream,
        THREAD_LOCAL);
    RuntimeException failure = null;
    try {
      launches.run();
    } catch (RuntimeException e) {
      failure = e;
    }
    long recorded = endCapture();
    try {
      if (failure != null) {
        throw failure;
      }
      long graph =
          driver.create(
              "cuGraphInstantiate",
              "cuGraphInstantiateWithFlags",
              new MemoryLayout[] {JAVA_LONG, JAVA_LONG},
              recorded,
              0L);
      graphs.add(graph);
      return graph;
    } finally {
      driver.perform("cuGraphDestroy", "cuGraphDestroy", new MemoryLayout[] {JAVA_LONG}, recorded);
    }
  }

  private long endCapture() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment graph = arena.allocate(JAVA_LONG);
      driver.perform(
          "cuStreamEndCapture",
          "cuStreamEndCapture",
          new MemoryLayout[] {JAVA_LONG, ADDRESS},
          stream,
          graph);
      return graph.get(JAVA_LONG, 0);
    }
  }

  /**
   * Puts a recorded graph into the stream.
   *
   * @param graph what {@link #record} returned
   */
  public void launchGraph(long graph) {
    driver.launchGraph(graph, stream);
  }

  /**
   * Gives a graph back.
   *
   * @param graph what {@link #record} returned
   */
  public void freeGraph(long graph) {
    if (graphs.remove(graph)) {
      driver.perform(
          "cuGraphExecDestroy", "cuGraphExecDestroy", new MemoryLayout[] {JAVA_LONG}, graph);
    }
  }

  /** Gives back the graphs and the stream. */
  void close() {
    new ArrayList<>(graphs).forEach(graph -> Context.quietly(() -> freeGraph(graph)));
    driver.perform("cuStreamDestroy", "cuStreamDestroy_v2", new MemoryLayout[] {JAVA_LONG}, stream);
  }
}
