package org.llamaj.kernel.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.LlamaException;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Stream;

/**
 * Pages of the key-value cache on the device. Their segments are addresses without a size: the
 * processor cannot read them.
 */
final class DevicePages implements PageMemory {
  /** Taken from the driver at once. */
  private static final long EXTENT_BYTES = 32L << 20;

  private static final long ALIGNMENT = 256;

  private record Extent(long address, long bytes) {}

  private final Context context;
  private final Stream stream; // of its own: pages are saved while a forward pass runs
  private final List<Extent> extents = new ArrayList<>();
  private long used; // of the last extent

  DevicePages(Context context) {
    this.context = context;
    stream = context.newStream();
  }

  /** Whether an address is that of a page, or within one. */
  synchronized boolean contains(long address) {
    for (int i = 0; i < extents.size(); i++) {
      Extent extent = extents.get(i);
      if (address >= extent.address && address < extent.address + extent.bytes) {
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    context.makeCurrent();
    long size = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    Extent last = extents.isEmpty() ? null : extents.getLast();
    if (last == null || used + size > last.bytes) {
      last = extend(size);
      stream.clear(last.address, last.bytes);
      stream.synchronize();
      extents.add(last);
      used = 0;
    }
    long address = last.address + used;
    used += size;
    return MemorySegment.ofAddress(address);
  }

  private Extent extend(long size) {
    long bytes = Math.max(size, EXTENT_BYTES);
    try {
      return new Extent(context.allocate(bytes), bytes);
    } catch (CudaException e) {
      if (!e.isOutOfMemory()) {
        throw e;
      }
    }
    try {
      return new Extent(context.allocate(size), size);
    } catch (CudaException e) {
      if (!e.isOutOfMemory()) {
        throw e;
      }
      throw new LlamaException(
          "the device has no memory for one more page of the key-value cache (%d KiB): close sequences, or load with a shorter context, a smaller cache type or fewer layers on the device"
              .formatted(size >> 10),
          e);
    }
  }

  @Override
  public synchronized void copy(MemorySegment source, MemorySegment target, long bytes) {
    context.makeCurrent();
    stream.copy(source.address(), target.address(), bytes);
    stream.synchronize();
  }

  @Override
  public synchronized void read(MemorySegment page, long offset, byte[] target, int count) {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(count);
      stream.copyToHost(page.address() + offset, buffer);
      stream.synchronize();
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, target, 0, count);
    }
  }

  @Override
  public synchronized void write(MemorySegment page, long offset, byte[] source, int count) {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocateFrom(ValueLayout.JAVA_BYTE, source);
      stream.copyToDevice(buffer.asSlice(0, count), page.address() + offset);
      stream.synchronize();
    }
  }
}
