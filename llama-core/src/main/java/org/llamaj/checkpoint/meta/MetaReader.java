package org.llamaj.checkpoint.meta;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.DerivedTensor;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.MetadataBuilder;
import org.llamaj.checkpoint.Storage;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/**
 * Opens directories as Meta publishes Llama 1 to 3: {@code params.json}, {@code
 * consolidated.00.pth} and further files of the same model, {@code tokenizer.model}. Tensors are
 * used where they lie, those that are spread over several files in their parts.
 */
public final class MetaReader {
  private static final String PARAMS = "params.json";
  private static final String FIRST = "consolidated.00.pth";

  private MetaReader() {}

  /**
   * Whether a directory is one of Meta's.
   *
   * @param directory any
   * @return true if it has {@code params.json} and {@code consolidated.00.pth}
   */
  public static boolean isIn(Path directory) {
    return Files.isRegularFile(directory.resolve(PARAMS))
        && Files.isRegularFile(directory.resolve(FIRST));
  }

  /**
   * Opens a directory; no tensor is read.
   *
   * @param directory with {@code params.json} and {@code consolidated.NN.pth}
   * @return the open checkpoint, in GGUF's names
   * @throws CheckpointException if something is missing, damaged, or of a kind that is not
   *     supported
   */
  public static Checkpoint open(Path directory) {
    JsonObject params = JsonObject.read(directory.resolve(PARAMS));
    Storage storage = new Storage();
    try {
      return open(directory, params, storage);
    } catch (Throwable failure) {
      storage.close();
      throw failure;
    }
  }

  private static Checkpoint open(Path directory, JsonObject params, Storage storage) {
    List<SequencedMap<String, Tensor>> shards = new ArrayList<>();
    for (Path file : files(directory)) {
      shards.add(PthFile.read(storage.map(file), name(file)));
    }
    String source = name(directory.toAbsolutePath().normalize());
    List<Tensor> tensors = new ArrayList<>();
    List<DerivedTensor> derived = new ArrayList<>();
    ShardMerge merge = new ShardMerge(source, shards);
    merge.translate(tensors, derived);
    Parameters model = Parameters.of(params, merge);
    model
        .scaling()
        .ifPresent(
            scaling -> {
              float[] factors = scaling.factors(model.headDim(), model.ropeTheta());
              MemorySegment data = storage.arena().allocateFrom(ValueLayout.JAVA_FLOAT, factors);
              tensors.add(
                  new Tensor("rope_freqs.weight", ElementType.F32, Shape.of(factors.length), data));
            });
    MetadataBuilder metadata = new MetadataBuilder();
    model.describe(metadata, source);
    return new Checkpoint(
        metadata.build(source), tensors, derived, storage, _ -> tokenizer(directory));
  }

  private static List<Path> files(Path directory) {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files =
          all.filter(file -> name(file).matches("consolidated\\.\\d\\d\\.pth")).sorted().toList();
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(directory, e), e);
    }
    for (int i = 0; i < files.size(); i++) {
      String expected = "consolidated.%02d.pth".formatted(i);
      if (!name(files.get(i)).equals(expected)) {
        throw new CheckpointException(
            "%s: expected %s, found %s after the one before; is a file missing?"
                .formatted(directory, expected, name(files.get(i))));
      }
    }
    return files;
  }

  /** Llama 1 has one for all sizes, beside their directories. */
  private static Tokenizer tokenizer(Path directory) {
    Path absolute = directory.toAbsolutePath().normalize();
    for (Path place : new Path[] {absolute, absolute.getParent()}) {
      Path file = place == null ? null : place.resolve("tokenizer.model");
      if (file != null && Files.isRegularFile(file)) return Tokenizer.load(file);
    }
    throw new TokenizerException("expected tokenizer.model in the directory, found none");
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}
