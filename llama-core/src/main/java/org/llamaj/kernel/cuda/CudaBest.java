package org.llamaj.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.Stream;

/** Finds the greatest values of rows on the device, so that the others need not be copied. */
final class CudaBest implements AutoCloseable {
  /** What {@code best.cu} is made for. */
  private static final int SLICE = 2048;

  private static final int THREADS = 256;

  private final Context context;
  private final Stream stream;
  private final Launches launches;
  private final Activations activations;
  private final Arena arena = Arena.ofShared();
  private final long ofValues;
  private final long ofBest;
  private MemorySegment host = MemorySegment.NULL;
  private long device; // two of them: each stage reads one and writes the other
  private long bytes;

  CudaBest(
      Context context, Stream stream, Launches launches, Activations activations, Modules modules) {
    this.context = context;
    this.stream = stream;
    this.launches = launches;
    this.activations = activations;
    ofValues = modules.function(KernelUnit.ACTIVATIONS, "best_of_values");
    ofBest = modules.function(KernelUnit.ACTIVATIONS, "best_of_best");
  }

  /** As {@link org.llamaj.kernel.Kernels#best}, of values on the device. */
  void find(long x, int rows, int columns, int count, int[] indices, float[] values) {
    int slices = Math.ceilDiv(columns, SLICE);
    reserve((long) Long.BYTES * rows * slices * count);
    long from = device;
    long to = device + bytes;
    launches
        .add(ofValues, slices, rows, 1, THREADS, SLICE * Long.BYTES)
        .with(x)
        .with(from)
        .with(columns)
        .with(count);
    while (slices > 1) {
      int given = slices * count;
      slices = Math.ceilDiv(given, SLICE);
      launches
          .add(ofBest, slices, rows, 1, THREADS, SLICE * Long.BYTES)
          .with(from)
          .with(to)
          .with(given)
          .with(count);
      long written = to;
      to = from;
      from = written;
    }
    int found = rows * count;
    MemorySegment keys = host.asSlice(0, (long) Long.BYTES * found);
    launches.flush();
    stream.copyToHost(from, keys);
    stream.synchronize();
    for (int i = 0; i < found; i++) {
      long key = keys.getAtIndex(JAVA_LONG, i);
      int ordered = (int) (key >>> 32);
      indices[i] = ~(int) key;
      values[i] = Float.intBitsToFloat(ordered < 0 ? ordered & Integer.MAX_VALUE : ~ordered);
    }
  }

  private void reserve(long needed) {
    if (needed > bytes) {
      if (device != 0) {
        activations.finishAll();
        context.free(device);
      }
      bytes = needed;
      device = context.allocate(2 * bytes);
      host = arena.allocate(bytes, Long.BYTES);
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
