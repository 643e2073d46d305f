package org.llamaj.checkpoint.gguf;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.AdapterCheckpoint.Pair;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.Tensor;

/** Opens LoRA adapters in GGUF's form: pairs of tensors named as the weight they change. */
public final class GgufAdapterReader {
  private static final String DOWN = ".lora_a";
  private static final String UP = ".lora_b";

  private GgufAdapterReader() {}

  /**
   * Opens an adapter; no tensor is read.
   *
   * @param path a GGUF file
   * @return to be closed by the caller
   * @throws CheckpointException if the file is damaged or no adapter
   */
  public static AdapterCheckpoint open(Path path) {
    Checkpoint file = GgufReader.open(path);
    try {
      return new AdapterCheckpoint(
          file, file.source(), Optional.of(architecture(file.metadata())), _ -> false, pairs(file));
    } catch (Throwable failure) {
      file.close();
      throw failure;
    }
  }

  private static String architecture(Metadata metadata) {
    String type = metadata.string("general.type").orElse("model");
    if (!type.equals("adapter")) {
      throw wrong(metadata, "general.type", "adapter", type + "; load it as a model");
    }
    String kind = metadata.string("adapter.type").orElse("none");
    if (!kind.equals("lora")) {
      throw wrong(metadata, "adapter.type", "lora", kind);
    }
    return metadata.requireString("general.architecture");
  }

  private static SequencedMap<String, Pair> pairs(Checkpoint file) {
    double alpha = file.metadata().requireNumber("adapter.lora.alpha");
    SequencedMap<String, Pair> pairs = new LinkedHashMap<>();
    for (Tensor tensor : file.tensors()) {
      if (tensor.name().endsWith(DOWN)) {
        String weight = weight(tensor, DOWN);
        Tensor up = file.tensor(weight + UP);
        pairs.put(weight, new Pair(tensor, up, alpha == 0 ? 1 : alpha / tensor.rows()));
      } else if (!tensor.name().endsWith(UP)) {
        throw wrong(
            file.metadata(), tensor.name(), "names that end in .lora_a and .lora_b", "another");
      } else {
        file.tensor(weight(tensor, UP) + DOWN);
      }
    }
    if (pairs.isEmpty()) {
      throw wrong(file.metadata(), "tensors", "pairs of .lora_a and .lora_b", "none");
    }
    return pairs;
  }

  private static String weight(Tensor tensor, String ending) {
    return tensor.name().substring(0, tensor.name().length() - ending.length());
  }

  private static CheckpointException wrong(
      Metadata metadata, String place, String expected, String found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(metadata.source(), place, expected, found));
  }
}
