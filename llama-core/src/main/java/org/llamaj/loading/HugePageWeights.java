package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.WeightSource;

/**
 * A copy of all tensors in anonymous memory that the system backs with huge pages: fewer
 * translations to look up while weights stream through the cores. Linux only.
 */
final class HugePageWeights implements WeightSource {
  private static final long TENSOR_ALIGNMENT = 64;
  private static final long COPY_CHUNK = 8L << 20;

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /**
   * Copies a checkpoint's tensors.
   *
   * @param checkpoint where they are
   * @param arena owns the copy
   * @param workers copy in parallel
   * @param progress told the fraction done, from 0 to 1
   * @throws LlamaException if the system has no huge pages or not enough memory
   */
  HugePageWeights(Checkpoint checkpoint, Arena arena, Workers workers, DoubleConsumer progress) {
    long total = 0;
    for (Tensor tensor : checkpoint.tensors()) {
      total += align(tensor.data().byteSize());
    }
    MemorySegment memory = HugePages.allocate(total, arena);
    long offset = 0;
    for (Tensor tensor : checkpoint.tensors()) {
      long bytes = tensor.data().byteSize();
      MemorySegment copy = memory.asSlice(offset, bytes);
      copy(tensor.data(), copy, workers);
      tensors.put(tensor.name(), new Tensor(tensor.name(), tensor.type(), tensor.shape(), copy));
      offset += align(bytes);
      progress.accept((double) offset / total);
    }
  }

  @Override
  public Optional<Tensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  private static void copy(MemorySegment source, MemorySegment target, Workers workers) {
    int chunks = Math.toIntExact((source.byteSize() + COPY_CHUNK - 1) / COPY_CHUNK);
    workers.run(
        chunks,
        (chunk, _) -> {
          long from = chunk * COPY_CHUNK;
          long bytes = Math.min(COPY_CHUNK, source.byteSize() - from);
          MemorySegment.copy(source, from, target, from, bytes);
        });
  }

  private static long align(long bytes) {
    return (bytes + TENSOR_ALIGNMENT - 1) / TENSOR_ALIGNMENT * TENSOR_ALIGNMENT;
  }
}
