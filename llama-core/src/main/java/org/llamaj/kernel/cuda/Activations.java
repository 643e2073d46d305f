package org.llamaj.kernel.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.Stream;
import org.llamaj.tensor.FloatMatrix;

/**
 * Where activations are on the device. Matrices that are kept have a place of their own there, and
 * what counts is what is in it; all others are copied to the device for an operation, and back.
 */
final class Activations implements AutoCloseable {
  private static final long ALIGNMENT = 256;
  private static final long SMALLEST_STAGING = 1 << 20;

  /** A matrix of the host's that lives on the device. */
  private record Kept(long host, long bytes, long device) {}

  /** A result that has to be copied to the host. */
  private record Download(MemorySegment host, long device) {}

  private final Context context;
  private final Stream stream;
  private final Launches launches;
  private Kept[] kept = {}; // by host address
  private long staging;
  private long stagingBytes;
  private long staged; // bytes of it in use
  private final List<Long> outgrown = new ArrayList<>();
  private final List<Download> downloads = new ArrayList<>();

  Activations(Context context, Stream stream, Launches launches) {
    this.context = context;
    this.stream = stream;
    this.launches = launches;
  }

  /** Gives a matrix a place on the device; what it holds so far is lost. */
  void keep(FloatMatrix matrix) {
    long bytes = matrix.data().byteSize();
    if (bytes == 0 || isKept(matrix)) {
      return;
    }
    Kept[] more = Arrays.copyOf(kept, kept.length + 1);
    more[kept.length] = new Kept(matrix.address(), bytes, context.allocate(bytes));
    Arrays.sort(more, (a, b) -> Long.compareUnsigned(a.host, b.host));
    kept = more;
  }

  boolean isKept(FloatMatrix matrix) {
    return find(matrix) != null;
  }

  private Kept find(FloatMatrix matrix) {
    long address = matrix.address();
    int low = 0;
    int high = kept.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Kept one = kept[middle];
      if (address < one.host) {
        high = middle - 1;
      } else if (address >= one.host + one.bytes) {
        low = middle + 1;
      } else {
        return one;
      }
    }
    return null;
  }

  /** The device's address of a matrix that is kept. */
  long address(FloatMatrix matrix) {
    Kept one = find(matrix);
    return one.device + (matrix.address() - one.host);
  }

  /** Where an operation reads the first rows. */
  long reading(FloatMatrix matrix, int rows) {
    if (isKept(matrix)) {
      return address(matrix);
    }
    MemorySegment values = firstRows(matrix, rows);
    long address = stage(values.byteSize());
    stream.copyToDevice(values, address);
    return address;
  }

  /** Where an operation writes the first rows. */
  long writing(FloatMatrix matrix, int rows) {
    if (isKept(matrix)) {
      return address(matrix);
    }
    MemorySegment values = firstRows(matrix, rows);
    long address = stage(values.byteSize());
    downloads.add(new Download(values, address));
    return address;
  }

  /** Ends an operation: what it wrote to matrices that are not kept is there. */
  void finish() {
    if (staged == 0) {
      return;
    }
    launches.flush();
    if (!downloads.isEmpty()) {
      for (Download download : downloads) {
        stream.copyToHost(download.device, download.host);
      }
      downloads.clear();
      stream.synchronize();
    }
    staged = 0;
    if (!outgrown.isEmpty()) {
      stream.synchronize();
      outgrown.forEach(context::free);
      outgrown.clear();
    }
  }

  /** Copies rows that are kept to the host. */
  void fetch(FloatMatrix matrix, int rows) {
    if (rows > 0 && isKept(matrix)) {
      launches.flush();
      stream.copyToHost(address(matrix), firstRows(matrix, rows));
      stream.synchronize();
    }
  }

  /** Copies rows that are kept to the device. */
  void publish(FloatMatrix matrix, int rows) {
    if (rows > 0 && isKept(matrix)) {
      MemorySegment values = firstRows(matrix, rows);
      upload(values, address(matrix));
    }
  }

  /** Copies to the device, after what still has to read the old content there. */
  void upload(MemorySegment source, long target) {
    if (launches.mention(target, source.byteSize())) {
      launches.flush();
    }
    stream.copyToDevice(source, target);
  }

  /** Waits for all that was begun. */
  void finishAll() {
    launches.flush();
    stream.synchronize();
  }

  private long stage(long bytes) {
    if (staged + bytes > stagingBytes) {
      if (staging != 0) {
        outgrown.add(staging); // operations that wait still use it
      }
      stagingBytes = Math.max(SMALLEST_STAGING, Math.max(bytes, 2 * stagingBytes));
      staging = context.allocate(stagingBytes);
      staged = 0;
    }
    long address = staging + staged;
    staged += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    return address;
  }

  private static MemorySegment firstRows(FloatMatrix matrix, int rows) {
    return matrix.data().asSlice(0, (long) Float.BYTES * rows * matrix.columns());
  }

  /** The memory of the device ends with the context. */
  @Override
  public void close() {
    kept = new Kept[0];
  }
}
