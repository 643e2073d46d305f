package org.llamaj.kernel.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.Stream;
import org.llamaj.tensor.Tensor;

/** Copies weights to the device, where a kernel cuts their blocks in two. */
final class WeightUpload {
  /** Copied at once. */
  private static final long PORTION_BYTES = 16L << 20;

  private static final int THREADS = 256;
  private static final int MOST_BLOCKS = 4096; // of threads

  private final Context context;
  private final Stream stream;
  private final Launches launches;
  private final long splitBlocks;
  private final long padRows;
  private long staging;

  WeightUpload(Context context, Stream stream, Launches launches, long splitBlocks, long padRows) {
    this.context = context;
    this.stream = stream;
    this.launches = launches;
    this.splitBlocks = splitBlocks;
    this.padRows = padRows;
  }

  /** The memory a matrix takes on the device. */
  static long bytes(Tensor tensor, WeightFormat format) {
    return tensor.rows() * format.blocks(tensor.columns()) * format.blockBytes();
  }

  /**
   * Uploads a matrix.
   *
   * @throws org.llamaj.kernel.cuda.driver.CudaException if there is no room; nothing is kept then
   */
  CudaWeightMatrix.OnDevice upload(Tensor tensor, WeightFormat format, Products products) {
    long blocks = tensor.rows() * format.blocks(tensor.columns());
    long main = context.allocate(blocks * format.mainBytes());
    long side = 0;
    try {
      side = format.sideBytes() == 0 ? 0 : context.allocate(blocks * format.sideBytes());
      copy(tensor, format, main, side);
    } catch (RuntimeException e) {
      context.free(main);
      context.free(side);
      throw e;
    }
    return new CudaWeightMatrix.OnDevice(tensor, main, side, products);
  }

  private void copy(Tensor tensor, WeightFormat format, long main, long side) {
    boolean padded = tensor.columns() % format.blockSize() != 0;
    long unit = padded ? tensor.rowBytes() : format.blockBytes(); // not to be torn apart
    long portion = Math.max(unit, PORTION_BYTES / unit * unit);
    long total = tensor.data().byteSize();
    if ((side != 0 || padded) && staging == 0) {
      staging = context.allocate(2 * PORTION_BYTES);
    }
    try (Arena arena = Arena.ofConfined()) {
      for (long done = 0; done < total; done += portion) {
        long count = Math.min(portion, total - done);
        MemorySegment source = tensor.data().asSlice(done, count);
        if (!source.isNative()) {
          source = arena.allocate(count).copyFrom(source);
        }
        long units = done / unit;
        if (padded) {
          long to = main + units * format.blocks(tensor.columns()) * format.mainBytes();
          stream.copyToDevice(source, staging);
          pad(tensor, format, count / unit, to);
        } else if (side != 0) {
          stream.copyToDevice(source, staging);
          split(
              format,
              count / unit,
              main + units * format.mainBytes(),
              side + units * format.sideBytes());
        } else {
          stream.copyToDevice(source, main + done);
        }
        launches.flush();
      }
    }
  }

  private void split(WeightFormat format, long blocks, long main, long side) {
    long units = blocks * format.blockBytes() / Short.BYTES;
    launches
        .add(splitBlocks, grid(units), 1, 1, THREADS, 0)
        .with(staging)
        .with(main)
        .with(side)
        .with(units)
        .with(format.blockBytes() / Short.BYTES)
        .with(format.mainOffset() / Short.BYTES)
        .with(format.mainBytes() / Short.BYTES);
  }

  private void pad(Tensor tensor, WeightFormat format, long rows, long target) {
    long padded = format.blocks(tensor.columns()) * format.mainBytes() / Short.BYTES;
    launches
        .add(padRows, grid(rows * padded), 1, 1, THREADS, 0)
        .with(staging)
        .with(target)
        .with(rows)
        .with((int) (tensor.rowBytes() / Short.BYTES))
        .with((int) padded);
  }

  private static int grid(long units) {
    return (int) Math.min(MOST_BLOCKS, Math.ceilDiv(units, (long) THREADS));
  }

  /** Gives back what only uploads need. */
  void release() {
    if (staging != 0) {
      stream.synchronize();
      context.free(staging);
      staging = 0;
    }
  }
}
