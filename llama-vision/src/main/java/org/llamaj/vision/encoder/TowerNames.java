package org.llamaj.vision.encoder;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.tensor.Tensor;
import org.llamaj.transformer.WeightSource;

/**
 * Finds an encoder's tensors by their names in GGUF files, also where a checkpoint has the names
 * that Hugging Face's transformers give them.
 *
 * @param layers by the beginning of a layer's name in GGUF: its beginning there
 * @param names by name in GGUF: the name there
 */
public record TowerNames(Map<String, String> layers, Map<String, String> names) {
  private static final Pattern LAYER = Pattern.compile("(v\\.(?:global\\.)?blk\\.)(\\d+)\\.(.+)");
  private static final Pattern WITH_KIND = Pattern.compile("(.+)\\.(weight|bias)");

  /** Newer files put everything below one more name. */
  private static final List<String> PREFIXES = List.of("", "model.");

  private static final Map<String, String> MODULES =
      Map.of(
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_out", "self_attn.o_proj",
          "ln1", "input_layernorm",
          "ln2", "post_attention_layernorm",
          "ffn_up", "mlp.fc1",
          "ffn_down", "mlp.fc2",
          "attn_gate", "gate_attn",
          "ffn_gate", "gate_ffn");

  /**
   * The tensors of a checkpoint.
   *
   * @param checkpoint with names of one kind or the other
   * @return finds them by their names in GGUF
   */
  public WeightSource in(Checkpoint checkpoint) {
    return name -> checkpoint.find(name).or(() -> translated(name, checkpoint));
  }

  private Optional<Tensor> translated(String name, Checkpoint checkpoint) {
    String other = translate(name);
    return other == null
        ? Optional.empty()
        : PREFIXES.stream()
            .map(prefix -> checkpoint.find(prefix + other))
            .flatMap(Optional::stream)
            .findFirst();
  }

  private String translate(String name) {
    if (names.containsKey(name)) {
      return names.get(name);
    }
    Matcher layer = LAYER.matcher(name);
    if (layer.matches() && layers.containsKey(layer.group(1))) {
      String module = module(layer.group(3), MODULES);
      return module == null ? null : layers.get(layer.group(1)) + layer.group(2) + "." + module;
    }
    return module(name, names);
  }

  private static String module(String name, Map<String, String> modules) {
    if (modules.containsKey(name)) {
      return modules.get(name);
    }
    Matcher kind = WITH_KIND.matcher(name);
    return kind.matches() && modules.containsKey(kind.group(1))
        ? modules.get(kind.group(1)) + "." + kind.group(2)
        : null;
  }
}
