package org.llamaj.kernel.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.Stream;

/** Vectors of weights (norms, biases) on the device, uploaded when they are first used. */
final class Constants {
  private final Context context;
  private final Stream stream;
  private long[] hosts = {}; // sorted
  private long[] devices = {};

  Constants(Context context, Stream stream) {
    this.context = context;
    this.stream = stream;
  }

  /** The device's address of a vector of the host's; 0 for null. */
  long address(MemorySegment vector) {
    if (vector == null) {
      return 0;
    }
    int at = Arrays.binarySearch(hosts, vector.address());
    return at >= 0 ? devices[at] : upload(vector, -at - 1);
  }

  private long upload(MemorySegment vector, int at) {
    long device = context.allocate(vector.byteSize());
    stream.copyToDevice(vector, device);
    hosts = insert(hosts, at, vector.address());
    devices = insert(devices, at, device);
    return device;
  }

  private static long[] insert(long[] values, int at, long value) {
    long[] more = Arrays.copyOf(values, values.length + 1);
    System.arraycopy(values, at, more, at + 1, values.length - at);
    more[at] = value;
    return more;
  }
}
