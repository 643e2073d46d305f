package org.llamaj.checkpoint.huggingface;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.Llama3Scaling;
import org.llamaj.checkpoint.MetadataBuilder;
import org.llamaj.checkpoint.Storage;
import org.llamaj.checkpoint.safetensors.SafetensorsReader;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.Tokenizer;

/**
 * Opens directories with {@code config.json} and safetensors files: Llama, Mixtral, Llama 4 and
 * Llama 3.2 Vision, with their image encoders.
 */
public final class HuggingFaceReader {
  private static final String CONFIG = "config.json";

  private HuggingFaceReader() {}

  /**
   * Whether a directory has a {@code config.json} and safetensors files.
   *
   * @param directory any
   * @return true if {@link #open} is to open it
   */
  public static boolean isIn(Path directory) {
    return Files.isRegularFile(directory.resolve(CONFIG)) && SafetensorsReader.isIn(directory);
  }

  /**
   * Opens a directory; no tensor is read.
   *
   * @param directory with {@code config.json}, safetensors files, a tokenizer's files
   * @return the open checkpoint, in GGUF's names
   * @throws CheckpointException if something is missing, damaged, or of a kind that is not
   *     supported
   */
  public static Checkpoint open(Path directory) {
    JsonObject config = JsonObject.read(directory.resolve(CONFIG));
    Storage storage = new Storage();
    try {
      ModelConfig model = ModelConfig.of(config);
      Quantization quantization = Quantization.of(config);
      Checkpoint files = SafetensorsReader.open(directory, storage);
      return translated(directory, config, model, quantization, files, storage);
    } catch (Throwable failure) {
      storage.close();
      throw failure;
    }
  }

  private static Checkpoint translated(
      Path directory,
      JsonObject config,
      ModelConfig model,
      Quantization quantization,
      Checkpoint files,
      Storage storage) {
    String source = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
    List<Tensor> tensors = new ArrayList<>();
    List<DerivedTensor> derived = new ArrayList<>();
    TensorTranslation translation = new TensorTranslation(source, model, quantization, files);
    translation.translate(tensors, derived);
    model
        .llama3Scaling()
        .ifPresent(scaling -> tensors.add(ropeFactors(scaling, model, storage.arena())));
    MetadataBuilder metadata = new MetadataBuilder();
    model.describe(metadata, source);
    VisionConfig.of(config, directory).ifPresent(vision -> vision.describe(metadata));
    ModelCard.licence(directory).ifPresent(name -> metadata.text("general.license", name));
    ChatTemplates.read(directory)
        .ifPresent(template -> metadata.text("tokenizer.chat_template", template));
    return new Checkpoint(
        metadata.build(source),
        tensors,
        derived,
        storage,
        _ -> Tokenizer.loadDirectory(directory, embeddingRows(tensors)));
  }

  /** Llama 3.2 Vision has more of them than {@code vocab_size}. */
  private static int embeddingRows(List<Tensor> tensors) {
    return tensors.stream()
        .filter(tensor -> tensor.name().equals("token_embd.weight"))
        .mapToInt(tensor -> (int) Math.min(tensor.rows(), Integer.MAX_VALUE))
        .findFirst()
        .orElse(0);
  }

  private static Tensor ropeFactors(Llama3Scaling scaling, ModelConfig model, Arena arena) {
    float[] factors = scaling.factors(model.ropeDimensions(), model.ropeTheta());
    MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_FLOAT, factors);
    return new Tensor("rope_freqs.weight", ElementType.F32, Shape.of(factors.length), data);
  }

  /** {@return whether a file is there} */
  static boolean exists(Path directory, String name) {
    return Files.isRegularFile(directory.resolve(name));
  }

  /** The text of a file of reasonable size. */
  static String text(Path file, long limit) {
    try {
      if (Files.size(file) > limit) {
        throw new CheckpointException(
            "%s: expected at most %d bytes, found %d".formatted(file, limit, Files.size(file)));
      }
      return Files.readString(file);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e), e);
    }
  }
}
