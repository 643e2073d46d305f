package org.llamaj.loading;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.WeightMix;
import org.llamaj.convert.rows.RowConverter;
import org.llamaj.convert.rows.RowUpdate;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.quantize.Quantizer;
import org.llamaj.transformer.WeightSource;

/**
 * A checkpoint's matrices in fewer bits than the files have, made at load in memory outside the
 * heap: in the types they would have in a file of that mixture. What would not become smaller stays
 * where it is.
 */
final class QuantisedWeights implements WeightSource {
  private static final long ALIGNMENT = 64;

  private final WeightSource stored;
  private final Map<String, Tensor> made = new HashMap<>();

  /**
   * Quantises.
   *
   * @param checkpoint the model
   * @param type the mixture
   * @param stored the tensors that stay
   * @param allocator of the memory
   * @param workers the threads
   * @param progress told the fraction done, from 0 to 1
   * @throws LlamaException if a matrix is quantised already or there is not enough memory
   */
  QuantisedWeights(
      Checkpoint checkpoint,
      FileType type,
      WeightSource stored,
      LongFunction<MemorySegment> allocator,
      Workers workers,
      DoubleConsumer progress) {
    this.stored = stored;
    List<TensorDescription> targets = targets(checkpoint, type);
    long total = targets.stream().mapToLong(target -> align(target.bytes())).sum();
    if (total == 0) return;
    MemorySegment memory = allocate(allocator, total, type);
    try (Arena scratch = Arena.ofShared()) {
      RowConverter converter = new RowConverter(workers, scratch);
      long[] at = new long[1];
      for (TensorDescription target : targets) {
        MemorySegment place = memory.asSlice(at[0], target.bytes());
        at[0] += align(target.bytes());
        long end = at[0];
        convert(checkpoint, target, converter, place);
        made.put(target.name(), new Tensor(target.name(), target.type(), target.shape(), place));
        progress.accept((double) end / total);
      }
    }
  }

  private static void convert(
      Checkpoint checkpoint,
      TensorDescription target,
      RowConverter converter,
      MemorySegment place) {
    try (Arena arena = Arena.ofShared()) {
      Tensor source =
          checkpoint.find(target.name()).orElseGet(() -> derived(checkpoint, target).make(arena));
      long[] at = new long[1];
      converter.convert(
          source,
          target.type(),
          null,
          null,
          RowUpdate.NONE,
          bytes -> {
            MemorySegment.copy(bytes, 0, place, at[0], bytes.byteSize());
            at[0] += bytes.byteSize();
          });
    }
  }

  private static DerivedTensor derived(Checkpoint checkpoint, TensorDescription target) {
    return checkpoint.derived().stream()
        .filter(tensor -> tensor.description().name().equals(target.name()))
        .findFirst()
        .orElseThrow();
  }

  private static MemorySegment allocate(
      LongFunction<MemorySegment> allocator, long bytes, FileType type) {
    try {
      return allocator.apply(bytes);
    } catch (OutOfMemoryError e) {
      throw new LlamaException(
          "no memory for %d MiB of weights in %s: quantise the model into a file, which is used where it lies"
              .formatted(bytes >> 20, type),
          e);
    }
  }

  private static long align(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  @Override
  public Optional<Tensor> find(String name) {
    Tensor tensor = made.get(name);
    return tensor == null ? stored.find(name) : Optional.of(tensor);
  }

  @Override
  public Optional<SplitTensor> findSplit(String name) {
    return made.containsKey(name) ? Optional.empty() : stored.findSplit(name);
  }

  /**
   * The tensors that would be made.
   *
   * @throws LlamaException if a matrix is quantised already
   */
  static List<TensorDescription> targets(Checkpoint checkpoint, FileType type) {
    WeightMix mix = WeightMix.of(type, checkpoint, false);
    List<TensorDescription> targets = new ArrayList<>();
    for (TensorDescription tensor : checkpoint.descriptions()) {
      if (tensor.shape().rank() == 1 || !WeightMix.covers(tensor.name())) continue;
      TensorDescription target =
          new TensorDescription(
              tensor.name(), mix.type(tensor.name(), tensor.shape()), tensor.shape());
      if (target.type() == tensor.type() || target.bytes() > tensor.bytes()) continue;
      if (tensor.type().isQuantised()) {
        throw new CheckpointException(
            "%s: %s: expected F32, F16 or BF16 to quantise at load, found %s: load the file as it is"
                .formatted(checkpoint.source(), tensor.name(), tensor.type()));
      }
      Quantizer.requireSupported(target.type());
      targets.add(target);
    }
    return targets;
  }

  /** All tensors as they will be: those that are made, and those that stay. */
  static List<TensorDescription> all(Checkpoint checkpoint, Optional<FileType> type) {
    Map<String, TensorDescription> targets =
        type.map(t -> targets(checkpoint, t)).orElse(List.of()).stream()
            .collect(Collectors.toMap(TensorDescription::name, target -> target));
    return checkpoint.descriptions().stream()
        .map(tensor -> targets.getOrDefault(tensor.name(), tensor))
        .toList();
  }
}
