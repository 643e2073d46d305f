package org.llamaj.loading;

import java.util.LinkedHashMap;
import java.util.Map;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.LowRankAdapter;
import org.llamaj.transformer.LowRankPair;
import org.llamaj.transformer.Transformer;

/** Binds a file's pairs of thin matrices to the projections of a model that is loaded. */
public final class AdapterReader {
  private static final String DOWN = ".lora_a";
  private static final String UP = ".lora_b";

  private AdapterReader() {}

  /**
   * Prepares an adapter.
   *
   * @param file an open adapter in GGUF's form; must stay open until the adapter is released
   * @param transformer the model's
   * @return the adapter
   * @throws CheckpointException if the file is no adapter, or not one of this model
   */
  public static LowRankAdapter bind(Checkpoint file, Transformer transformer) {
    checkKind(file.metadata(), transformer.configuration().architecture());
    try {
      return transformer.adapter(file.source(), pairs(file));
    } catch (CheckpointException e) {
      throw e;
    } catch (LlamaException e) {
      throw new CheckpointException(file.source() + ": " + e.getMessage(), e);
    }
  }

  private static void checkKind(Metadata metadata, String architecture) {
    String type = metadata.string("general.type").orElse("model");
    if (!type.equals("adapter")) {
      throw wrong(metadata, "general.type", "adapter", type + "; load it as a model");
    }
    String kind = metadata.string("adapter.type").orElse("none");
    if (!kind.equals("lora")) {
      throw wrong(metadata, "adapter.type", "lora", kind);
    }
    String found = metadata.requireString("general.architecture");
    if (!found.equals(architecture)) {
      throw wrong(metadata, "general.architecture", architecture + " as the model has", found);
    }
  }

  /**
   * The pairs of an adapter in GGUF's form.
   *
   * @param file an open adapter
   * @return by the name of the weight that is adapted
   * @throws CheckpointException if a half of a pair is missing
   */
  public static Map<String, LowRankPair> pairs(Checkpoint file) {
    double alpha = file.metadata().requireNumber("adapter.lora.alpha");
    Map<String, LowRankPair> pairs = new LinkedHashMap<>();
    for (Tensor tensor : file.tensors()) {
      if (tensor.name().endsWith(DOWN)) {
        String weight = weight(tensor, DOWN);
        Tensor up = file.tensor(weight + UP);
        pairs.put(weight, pair(tensor, up, alpha));
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

  private static LowRankPair pair(Tensor down, Tensor up, double alpha) {
    double rank = down.rows();
    return new LowRankPair(down, up, (float) (alpha == 0 ? 1 : alpha / rank));
  }

  private static CheckpointException wrong(
      Metadata metadata, String place, String expected, String found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(metadata.source(), place, expected, found));
  }
}
