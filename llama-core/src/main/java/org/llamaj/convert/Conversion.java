package org.llamaj.convert;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.checkpoint.gguf.WeightMix;
import org.llamaj.convert.rows.RowConverter;
import org.llamaj.convert.rows.RowOrder;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.quantize.Quantizer;

/**
 * Writes a checkpoint as GGUF, quantised or as it is. Metadata, tokenizer and chat template are
 * taken over. Memory does not grow with the model; the target appears when it is complete.
 *
 * <pre>{@code
 * try (Checkpoint model = GgufReader.open(Path.of("model-F16.gguf"))) {
 *   Conversion.of(model).to(FileType.Q4_K_M).write(Path.of("model-Q4_K_M.gguf"));
 * }
 * }</pre>
 *
 * Used by one thread; may write several times.
 */
public final class Conversion {
  private final Checkpoint source;
  private Optional<FileType> fileType = Optional.empty();
  private boolean pure;
  private boolean requantize;
  private Optional<ImportanceMatrix> importance = Optional.empty();
  private final WeightUpdates updates = new WeightUpdates();
  private int threads = Runtime.getRuntime().availableProcessors();
  private long maxFileBytes = Long.MAX_VALUE;
  private ConversionListener listener = (_, _) -> {};

  private Conversion(Checkpoint source) {
    this.source = source;
  }

  /**
   * Begins a conversion that changes nothing yet.
   *
   * @param source the model, open until it is written
   * @return options to set, then {@link #write}
   */
  public static Conversion of(Checkpoint source) {
    return new Conversion(Objects.requireNonNull(source, "source"));
  }

  /**
   * Sets the types of the tensors: those that llama-quantize chooses for the same mixture.
   *
   * @param value the mixture; without it, all tensors keep their types
   * @return this
   */
  public Conversion to(FileType value) {
    fileType = Optional.of(value);
    return this;
  }

  /**
   * Gives all matrices the mixture's main type, none more bits.
   *
   * @return this
   */
  public Conversion pure() {
    pure = true;
    return this;
  }

  /**
   * Allows to quantise what is quantised already, which adds one error to the other.
   *
   * @return this
   */
  public Conversion requantize() {
    requantize = true;
    return this;
  }

  /**
   * Sets which columns of the matrices matter most.
   *
   * @param value collected from this model with a typical text; without it, all count the same
   * @return this
   */
  public Conversion importance(ImportanceMatrix value) {
    importance = Optional.of(value);
    return this;
  }

  /**
   * Adds a LoRA adapter to the weights, for good. Matrices that are quantised already are quantised
   * again, which {@link #requantize} has to allow.
   *
   * @param adapter open until the model is written
   * @param scale 1 for as strong as it was trained
   * @return this
   * @throws LlamaException if the adapter is for another model
   */
  public Conversion merge(AdapterCheckpoint adapter, double scale) {
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException("expected a finite scale, found " + scale);
    }
    updates.add(adapter, scale, source);
    return this;
  }

  /**
   * Sets how many threads compute.
   *
   * @param count at least 1; without it, all that the JVM may use
   * @return this
   */
  public Conversion threads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("threads: expected at least 1, found " + count);
    }
    threads = count;
    return this;
  }

  /**
   * Splits the model into files of limited size.
   *
   * @param bytes the most tensor data of a file, unless a single tensor has more
   * @return this
   */
  public Conversion maxFileBytes(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("maxFileBytes: expected at least 1, found " + bytes);
    }
    maxFileBytes = bytes;
    return this;
  }

  /**
   * Sets who is told how far it is.
   *
   * @param value called on the converting thread
   * @return this
   */
  public Conversion onProgress(ConversionListener value) {
    listener = Objects.requireNonNull(value, "value");
    return this;
  }

  /**
   * The tensors that {@link #write} would write.
   *
   * @return with their types, in the order of the source
   * @throws LlamaException if a tensor cannot have the type that is wanted
   */
  public List<TensorDescription> tensors() {
    Optional<WeightMix> mix =
        fileType.map(type -> WeightMix.of(type, source, importance.isPresent()));
    return sources().map(tensor -> target(tensor, mix)).toList();
  }

  /** The tensors of the language model; those of vision towers have no place in its file. */
  private Stream<TensorDescription> sources() {
    Stream<TensorDescription> inPlace =
        source.tensors().stream()
            .map(tensor -> new TensorDescription(tensor.name(), tensor.type(), tensor.shape()));
    Stream<TensorDescription> made = source.derived().stream().map(DerivedTensor::description);
    Stream<TensorDescription> all = Stream.concat(inPlace, made);
    return isGguf() ? all : all.filter(tensor -> WeightMix.covers(tensor.name()));
  }

  /** Readers of other forms tell where rotary pairs lie; GGUF has no key for it. */
  private boolean isGguf() {
    String architecture = source.metadata().string("general.architecture").orElse("");
    String key = architecture + "." + Metadata.ROPE_HALF_SPLIT;
    return !source.metadata().values().containsKey(key);
  }

  private TensorDescription target(TensorDescription tensor, Optional<WeightMix> mix) {
    String name = tensor.name();
    ElementType type =
        mix.map(m -> pure ? m.mainType(name, tensor.shape()) : m.type(name, tensor.shape()))
            .orElse(tensor.type());
    boolean same = type == tensor.type() && !updates.change(name);
    if (same || isInteger(tensor.type())) return tensor;
    if (tensor.type().isQuantised() && !requantize) {
      throw new LlamaException(
          "%s: %s is quantised already, as %s: start from F32, F16 or BF16, or allow to quantise twice"
              .formatted(source.source(), name, tensor.type()));
    }
    Quantizer.requireSupported(type);
    return new TensorDescription(name, type, tensor.shape());
  }

  private static boolean isInteger(ElementType type) {
    return switch (type) {
      case I8, I16, I32, I64 -> true;
      default -> false;
    };
  }

  /**
   * Writes the model.
   *
   * @param file to be written, or replaced; its name is a pattern if the model is split
   * @return the files written, in order
   * @throws LlamaException if a tensor cannot be converted or a file cannot be written; nothing is
   *     left behind then
   */
  public List<Path> write(Path file) {
    List<TensorDescription> tensors = tensors();
    importance.ifPresent(matrix -> matrix.requireFit(source));
    long totalBytes = tensors.stream().mapToLong(TensorDescription::bytes).sum();
    try (Workers workers = new Workers(threads);
        Arena arena = Arena.ofShared();
        GgufWriter writer = GgufWriter.create(file, metadata(), tensors, maxFileBytes)) {
      RowConverter converter = new RowConverter(workers, arena);
      long[] written = new long[1];
      Consumer<MemorySegment> sink =
          bytes -> {
            writer.write(bytes);
            written[0] += bytes.byteSize();
            listener.onProgress(written[0], totalBytes);
          };
      for (TensorDescription target : tensors) {
        write(target, converter, sink);
      }
      return writer.finish();
    }
  }

  private void write(
      TensorDescription target, RowConverter converter, Consumer<MemorySegment> sink) {
    Optional<Tensor> inPlace = source.find(target.name());
    if (inPlace.isPresent()) {
      write(inPlace.get(), target, converter, sink);
      return;
    }
    DerivedTensor derived =
        source.derived().stream()
            .filter(tensor -> tensor.description().name().equals(target.name()))
            .findFirst()
            .orElseThrow();
    try (Arena arena = Arena.ofShared()) {
      write(derived.make(arena), target, converter, sink);
    }
  }

  private void write(
      Tensor tensor,
      TensorDescription target,
      RowConverter converter,
      Consumer<MemorySegment> sink) {
    float[] weights = importance.flatMap(matrix -> matrix.find(tensor.name())).orElse(null);
    converter.convert(
        tensor,
        target.type(),
        weights,
        RowOrder.of(source, tensor),
        updates.of(tensor.name()),
        sink);
  }

  private SequencedMap<String, MetadataValue> metadata() {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>(source.metadata().values());
    metadata.keySet().removeIf(key -> key.startsWith("split."));
    if (!isGguf()) {
      String architecture = source.metadata().requireString("general.architecture");
      metadata.remove(architecture + "." + Metadata.ROPE_HALF_SPLIT);
      metadata.putIfAbsent("general.type", Text.of("model"));
      metadata.putAll(
          JsonVocabulary.read(
              source.files().getFirst().toAbsolutePath().getParent(),
              source.tokenizer(),
              Math.toIntExact(source.tensor("token_embd.weight").rows()),
              architecture.equals("llama4") ? "llama4" : "llama-bpe"));
    }
    fileType.ifPresent(
        type -> {
          metadata.put("general.file_type", new Whole(MetadataType.UINT32, type.id()));
          metadata.put("general.quantization_version", new Whole(MetadataType.UINT32, 2));
        });
    importance.ifPresent(
        matrix -> {
          metadata.put("quantize.imatrix.file", Text.of(matrix.source()));
          metadata.put("quantize.imatrix.dataset", Text.of(matrix.dataset()));
          metadata.put(
              "quantize.imatrix.entries_count", new Whole(MetadataType.UINT32, matrix.size()));
          metadata.put(
              "quantize.imatrix.chunks_count", new Whole(MetadataType.UINT32, matrix.chunks()));
        });
    return metadata;
  }
}
