package org.llamaj.checkpoint.huggingface;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.checkpoint.AdapterCheckpoint;
import org.llamaj.checkpoint.AdapterCheckpoint.Pair;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.safetensors.SafetensorsReader;
import org.llamaj.tensor.Tensor;

/**
 * Opens LoRA adapters as Hugging Face's PEFT writes them: a directory with {@code
 * adapter_config.json} and {@code adapter_model.safetensors}, whose tensors are named {@code
 * base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight}.
 */
public final class PeftReader {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String OLD_WEIGHTS = "adapter_model.bin";
  private static final Pattern NAME =
      Pattern.compile("base_model\\.model\\.(.+)\\.lora_([AB])(?:\\.default)?\\.weight");

  private final PeftConfig config;
  private final Checkpoint file;
  private final Map<String, Tensor> ups = new LinkedHashMap<>(); // B by module
  private final SequencedMap<String, Tensor> downs = new LinkedHashMap<>(); // A by module

  private PeftReader(PeftConfig config, Checkpoint file) {
    this.config = config;
    this.file = file;
  }

  /**
   * Whether a file is one of the two, and the other may lie beside it.
   *
   * @param file any
   * @return true if its directory is one for {@link #open}
   */
  public static boolean isPartOfOne(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.equals(CONFIG) || name.equals(WEIGHTS);
  }

  /**
   * Opens an adapter; no tensor is read.
   *
   * @param directory with the two files
   * @return to be closed by the caller
   * @throws CheckpointException if something is missing, damaged, or not supported
   */
  public static AdapterCheckpoint open(Path directory) {
    String source = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
    if (!Files.isRegularFile(directory.resolve(CONFIG))) {
      throw new CheckpointException(
          "%s: expected an adapter, %s and %s, found no %s"
              .formatted(directory, CONFIG, WEIGHTS, CONFIG));
    }
    PeftConfig config = PeftConfig.read(directory.resolve(CONFIG));
    Path weights = directory.resolve(WEIGHTS);
    if (!Files.exists(weights)) {
      boolean old = Files.exists(directory.resolve(OLD_WEIGHTS));
      throw new CheckpointException(
          "%s: expected %s, found %s"
              .formatted(
                  directory,
                  WEIGHTS,
                  old ? OLD_WEIGHTS + " only; save the adapter as safetensors" : "none"));
    }
    Checkpoint file = SafetensorsReader.open(weights);
    try {
      return new AdapterCheckpoint(
          file, source, Optional.empty(), Family::halfSplit, new PeftReader(config, file).pairs());
    } catch (Throwable failure) {
      file.close();
      throw failure;
    }
  }

  private SequencedMap<String, Pair> pairs() {
    for (Tensor tensor : file.tensors()) {
      Matcher name = NAME.matcher(tensor.name());
      if (!name.matches()) {
        throw wrong(
            tensor, "base_model.model. ... .lora_A.weight or .lora_B.weight", "another tensor");
      }
      requireFloats(tensor);
      (name.group(2).equals("A") ? downs : ups).put(name.group(1), tensor);
    }
    SequencedMap<String, Pair> pairs = new LinkedHashMap<>();
    downs.forEach(
        (module, down) -> {
          if (pairs.put(weight(module, down), pair(module, down)) != null) {
            throw wrong(down, "one pair for each weight", "another one with another name");
          }
        });
    ups.forEach(
        (module, up) -> {
          if (!downs.containsKey(module)) throw wrong(up, "its lora_A beside it", "none");
        });
    if (pairs.isEmpty()) {
      throw new CheckpointException(
          file.source() + ": expected pairs of lora_A and lora_B, found none");
    }
    return pairs;
  }

  private String weight(String module, Tensor down) {
    TensorNames.Parameter parameter =
        TensorNames.parameter(module + ".weight")
            .orElseThrow(() -> wrong(down, "a projection of a Llama model", "another module"));
    if (!config.targets(module)) {
      throw wrong(down, "a module that target_modules in " + CONFIG + " names", "another one");
    }
    return parameter.name();
  }

  private Pair pair(String module, Tensor down) {
    Tensor up = ups.get(module);
    if (up == null) throw wrong(down, "its lora_B beside it", "none");
    int rank = config.rank(module);
    if (down.shape().rank() != 2
        || up.shape().rank() != 2
        || down.rows() != rank
        || up.columns() != rank) {
      throw wrong(
          down,
          "A of [%d, inputs] and B of [outputs, %d], the rank in %s".formatted(rank, rank, CONFIG),
          down.shape() + " and " + up.shape());
    }
    return new Pair(down, up, config.scaling(module));
  }

  private void requireFloats(Tensor tensor) {
    switch (tensor.type()) {
      case F32, F16, BF16 -> {}
      default -> throw wrong(tensor, "F32, F16 or BF16", tensor.type().name());
    }
  }

  private CheckpointException wrong(Tensor tensor, String expected, String found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(file.source(), tensor.name(), expected, found));
  }
}
