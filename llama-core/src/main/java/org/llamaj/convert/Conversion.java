package org.llamaj.convert;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.checkpoint.gguf.WeightMix;
import org.llamaj.convert.rows.RowConverter;
import org.llamaj.convert.rows.RowOrder;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
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
  /** What of a checkpoint goes into the file. */
  private enum Part {
    EVERYTHING,
    LANGUAGE_MODEL,
    ENCODER
  }

  private final Checkpoint source;
  private final Part part;
  private final boolean isGguf;
  private Optional<FileType> fileType = Optional.empty();
  private boolean pure;
  private boolean requantize;
  private Optional<ImportanceMatrix> importance = Optional.empty();
  private final WeightUpdates updates = new WeightUpdates();
  private int threads = Runtime.getRuntime().availableProcessors();
  private long maxFileBytes = Long.MAX_VALUE;
  private ConversionListener listener = (_, _) -> {};

  private Conversion(Checkpoint source, Part part) {
    this.source = source;
    this.part = part;
    isGguf = TargetKeys.isGguf(source);
  }

  /**
   * Begins a conversion that changes nothing yet. Of a directory with a model of Llama 4, the
   * language model is written; its image encoder goes into a file of its own, {@link #ofEncoder}.
   * That of Llama 3.2 Vision stays with it.
   *
   * @param source the model, open until it is written
   * @return options to set, then {@link #write}
   */
  public static Conversion of(Checkpoint source) {
    String architecture = source.metadata().string("general.architecture").orElse("");
    boolean whole = TargetKeys.isGguf(source) || architecture.equals("mllama");
    return new Conversion(source, whole ? Part.EVERYTHING : Part.LANGUAGE_MODEL);
  }

  /**
   * Begins to write the image encoder of a Llama 4 from a directory, as the {@code mmproj} file
   * that llama.cpp reads. Of the mixtures F32, F16 and BF16 count; all others give F16.
   *
   * @param source the model, open until it is written
   * @return options to set, then {@link #write}
   * @throws LlamaException if there is none
   */
  public static Conversion ofEncoder(Checkpoint source) {
    String projector = source.metadata().string("clip.projector_type").orElse("none");
    if (!projector.equals("llama4") || TargetKeys.isGguf(source)) {
      throw new LlamaException(
          "%s: expected a directory as on Hugging Face with an image encoder of Llama 4, found %s"
              .formatted(source.source(), projector));
    }
    return new Conversion(source, Part.ENCODER);
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
    return plan().stream().map(Planned::target).toList();
  }

  /** A tensor of the source, and what it becomes. */
  private record Planned(SourceTensor source, TensorDescription target) {}

  private List<Planned> plan() {
    Optional<WeightMix> mix =
        fileType.map(type -> WeightMix.of(type, source, importance.isPresent()));
    return SourceTensor.of(source).stream()
        .filter(tensor -> isWanted(tensor.description().name()))
        .map(tensor -> new Planned(tensor, target(tensor.description(), mix)))
        .toList();
  }

  private boolean isWanted(String name) {
    return switch (part) {
      case EVERYTHING -> true;
      case LANGUAGE_MODEL -> WeightMix.covers(name);
      case ENCODER -> !WeightMix.covers(name);
    };
  }

  private ElementType type(TensorDescription tensor, WeightMix mix) {
    if (!WeightMix.covers(tensor.name()) && !isGguf) {
      return part == Part.ENCODER ? ofEncoder(tensor) : tensor.type();
    }
    return pure
        ? mix.mainType(tensor.name(), tensor.shape())
        : mix.type(tensor.name(), tensor.shape());
  }

  private ElementType ofEncoder(TensorDescription tensor) {
    if (tensor.shape().rank() == 1 || tensor.name().contains("position_embd")) {
      return ElementType.F32;
    }
    ElementType main = fileType.map(FileType::main).orElse(ElementType.F16);
    return main.isQuantised() ? ElementType.F16 : main;
  }

  private TensorDescription target(TensorDescription tensor, Optional<WeightMix> mix) {
    String name = tensor.name();
    ElementType type = mix.map(m -> type(tensor, m)).orElse(tensor.type());
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
    List<Planned> plan = plan();
    List<TensorDescription> tensors = plan.stream().map(Planned::target).toList();
    List<TensorDescription> sources = plan.stream().map(p -> p.source.description()).toList();
    importance.ifPresent(matrix -> matrix.requireFit(sources, source.source()));
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
      for (Planned tensor : plan) {
        write(tensor, converter, sink);
      }
      return writer.finish();
    }
  }

  private void write(Planned planned, RowConverter converter, Consumer<MemorySegment> sink) {
    List<String> parts = planned.source.parts();
    float[] weights = importance.flatMap(matrix -> matrix.find(planned.target.name())).orElse(null);
    for (int i = 0; i < parts.size(); i++) {
      float[] ofPart = weights;
      int columns = Math.toIntExact(planned.target.shape().columns());
      if (weights != null && parts.size() > 1 && weights.length > columns) {
        ofPart = Arrays.copyOfRange(weights, i * columns, (i + 1) * columns);
      }
      write(parts.get(i), planned.target.type(), ofPart, converter, sink);
    }
  }

  private void write(
      String name,
      ElementType type,
      float[] weights,
      RowConverter converter,
      Consumer<MemorySegment> sink) {
    try (Arena arena = Arena.ofShared()) {
      Tensor tensor = source.find(name).orElseGet(() -> derived(name).make(arena));
      RowOrder order = RowOrder.of(source, tensor);
      // The rows that change places are single values in a bias.
      Tensor rows =
          order != null && tensor.shape().rank() == 1
              ? new Tensor(name, tensor.type(), Shape.of(tensor.columns(), 1), tensor.data())
              : tensor;
      converter.convert(rows, type, weights, order, updates.of(name), sink);
    }
  }

  private DerivedTensor derived(String name) {
    return source.derived().stream()
        .filter(tensor -> tensor.description().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private SequencedMap<String, MetadataValue> metadata() {
    TargetKeys keys =
        switch (part) {
          case EVERYTHING -> isGguf ? TargetKeys.ofGguf(source) : TargetKeys.ofModel(source, true);
          case LANGUAGE_MODEL -> TargetKeys.ofModel(source, false);
          case ENCODER -> TargetKeys.ofEncoder(source);
        };
    return keys.with(fileType, importance);
  }
}
