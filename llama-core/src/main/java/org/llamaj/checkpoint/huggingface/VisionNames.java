package org.llamaj.checkpoint.huggingface;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of the tensors of image encoders: from transformers' to GGUF's. */
final class VisionNames {
  private static final Pattern LAYER =
      Pattern.compile(
          "vision_model\\.(model|transformer|global_transformer)\\.layers\\.(\\d{1,5})\\.(.+)");
  private static final Pattern WITH_KIND = Pattern.compile("(.+)\\.(weight|bias)");

  private static final Map<String, String> STACKS =
      Map.of("model", "v.blk.", "transformer", "v.blk.", "global_transformer", "v.global.blk.");

  private static final Map<String, String> IN_LAYER =
      Map.ofEntries(
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_out"),
          Map.entry("input_layernorm", "ln1"),
          Map.entry("post_attention_layernorm", "ln2"),
          Map.entry("mlp.fc1", "ffn_up"),
          Map.entry("mlp.fc2", "ffn_down"),
          Map.entry("gate_attn", "attn_gate"),
          Map.entry("gate_ffn", "ffn_gate"));

  private static final Map<String, String> OUTSIDE =
      Map.ofEntries(
          Map.entry("vision_model.patch_embedding.linear", "v.patch_embd"),
          Map.entry("vision_model.patch_embedding", "v.patch_embd"),
          Map.entry("vision_model.class_embedding", "v.class_embd"),
          Map.entry("vision_model.positional_embedding_vlm", "v.position_embd.weight"),
          Map.entry("vision_model.layernorm_pre", "v.pre_ln"),
          Map.entry("vision_model.layernorm_post", "v.post_ln"),
          Map.entry("vision_model.vision_adapter.mlp.fc1", "mm.model.mlp.1"),
          Map.entry("vision_model.vision_adapter.mlp.fc2", "mm.model.mlp.2"),
          Map.entry("multi_modal_projector.linear_1", "mm.model.fc"),
          Map.entry("multi_modal_projector", "mm.0"),
          Map.entry("vision_model.gated_positional_embedding.embedding", "v.position_embd.weight"),
          Map.entry("vision_model.gated_positional_embedding.gate", "v.position_embd.gate"),
          Map.entry(
              "vision_model.gated_positional_embedding.tile_embedding", "v.tile_position_embd"),
          Map.entry(
              "vision_model.pre_tile_positional_embedding.embedding", "v.pre_tile_position_embd"),
          Map.entry(
              "vision_model.pre_tile_positional_embedding.gate", "v.pre_tile_position_embd.gate"),
          Map.entry(
              "vision_model.post_tile_positional_embedding.embedding", "v.post_tile_position_embd"),
          Map.entry(
              "vision_model.post_tile_positional_embedding.gate",
              "v.post_tile_position_embd.gate"));

  private VisionNames() {}

  /** Empty for a name that none of the known encoders has. */
  static Optional<String> translate(String name) {
    String rest = name.startsWith("model.") ? name.substring("model.".length()) : name;
    Matcher layer = LAYER.matcher(rest);
    return layer.matches()
        ? module(layer.group(3), IN_LAYER)
            .map(module -> STACKS.get(layer.group(1)) + layer.group(2) + "." + module)
        : module(rest, OUTSIDE);
  }

  private static Optional<String> module(String name, Map<String, String> modules) {
    if (modules.containsKey(name)) return Optional.of(modules.get(name));
    Matcher kind = WITH_KIND.matcher(name);
    return kind.matches() && modules.containsKey(kind.group(1))
        ? Optional.of(modules.get(kind.group(1)) + "." + kind.group(2))
        : Optional.empty();
  }
}
