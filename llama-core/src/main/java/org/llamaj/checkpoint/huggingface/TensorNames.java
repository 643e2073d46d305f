package org.llamaj.checkpoint.huggingface;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What transformers' names of parameters are in GGUF. */
final class TensorNames {
  /** Before the language model's names, in files with or without a vision tower. */
  private static final Pattern LANGUAGE_MODEL =
      Pattern.compile("(?:language_model\\.model\\.|model\\.language_model\\.|model\\.)(.*)");

  private static final Pattern HEAD = Pattern.compile("(?:language_model\\.)?lm_head\\.(.*)");
  private static final Pattern LAYER = Pattern.compile("layers\\.(\\d{1,5})\\.(.*)");
  private static final Pattern EXPERT =
      Pattern.compile(
          "(?:block_sparse_moe|feed_forward|mlp)\\.experts\\.(\\d{1,6})\\.([a-z0-9_]+)\\.(.*)");

  private static final Map<String, String> MODULES =
      Map.ofEntries(
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("block_sparse_moe.gate", "ffn_gate_inp"),
          Map.entry("feed_forward.gate_proj", "ffn_gate"),
          Map.entry("feed_forward.up_proj", "ffn_up"),
          Map.entry("feed_forward.down_proj", "ffn_down"),
          Map.entry("feed_forward.router", "ffn_gate_inp"),
          Map.entry("feed_forward.shared_expert.gate_proj", "ffn_gate_shexp"),
          Map.entry("feed_forward.shared_expert.up_proj", "ffn_up_shexp"),
          Map.entry("feed_forward.shared_expert.down_proj", "ffn_down_shexp"),
          Map.entry("feed_forward.experts.gate_up_proj", "ffn_gate_up_exps"),
          Map.entry("feed_forward.experts.down_proj", "ffn_down_exps"),
          Map.entry("cross_attn.q_proj", "cross_attn_q_proj"),
          Map.entry("cross_attn.k_proj", "cross_attn_k_proj"),
          Map.entry("cross_attn.v_proj", "cross_attn_v_proj"),
          Map.entry("cross_attn.o_proj", "cross_attn_o_proj"),
          Map.entry("cross_attn.q_norm", "cross_attn_q_norm"),
          Map.entry("cross_attn.k_norm", "cross_attn_k_norm"),
          Map.entry("cross_attn_attn_gate", "cross_attn_attn_gate"),
          Map.entry("cross_attn_mlp_gate", "cross_attn_mlp_gate"));

  private static final Map<String, String> EXPERT_MODULES =
      Map.of(
          "w1", "ffn_gate",
          "w2", "ffn_down",
          "w3", "ffn_up",
          "gate_proj", "ffn_gate",
          "down_proj", "ffn_down",
          "up_proj", "ffn_up");

  private TensorNames() {}

  /**
   * A parameter of the language model.
   *
   * @param module in GGUF's names: {@code blk.0.attn_q}
   * @param kind {@code weight}, {@code bias}, {@code weight_scale}; empty for a parameter without
   */
  record Parameter(String module, String kind) {
    /** In GGUF's names. */
    String name() {
      return kind.isEmpty() ? module : module + "." + kind;
    }
  }

  /** Whether a tensor belongs to the language model, and not to a vision tower. */
  static boolean isOfLanguageModel(String name) {
    return HEAD.matcher(name).matches()
        || LANGUAGE_MODEL.matcher(name).matches()
            && !name.startsWith("model.vision")
            && !name.startsWith("model.multi_modal");
  }

  /** Values that are computed, in some old files. */
  static boolean isBuffer(String name) {
    return name.endsWith("rotary_emb.inv_freq") || name.endsWith(".masked_bias");
  }

  /** Empty for a name that none of the known models has. */
  static Optional<Parameter> parameter(String name) {
    Matcher head = HEAD.matcher(name);
    if (head.matches()) return Optional.of(new Parameter("output", head.group(1)));
    Matcher model = LANGUAGE_MODEL.matcher(name);
    if (!model.matches()) return Optional.empty();
    String rest = model.group(1);
    if (rest.startsWith("embed_tokens.")) {
      return Optional.of(new Parameter("token_embd", rest.substring("embed_tokens.".length())));
    }
    if (rest.startsWith("norm.")) {
      return Optional.of(new Parameter("output_norm", rest.substring("norm.".length())));
    }
    Matcher layer = LAYER.matcher(rest);
    return layer.matches()
        ? inLayer("blk." + layer.group(1) + ".", layer.group(2))
        : Optional.empty();
  }

  private static Optional<Parameter> inLayer(String block, String name) {
    Matcher expert = EXPERT.matcher(name);
    if (expert.matches()) {
      String module = EXPERT_MODULES.get(expert.group(2));
      return Optional.ofNullable(module)
          .map(m -> new Parameter(block + m + "." + expert.group(1), expert.group(3)));
    }
    String module = MODULES.get(name);
    if (module != null) return Optional.of(new Parameter(block + module, ""));
    int dot = name.lastIndexOf('.');
    String owner = dot < 0 ? "" : name.substring(0, dot);
    if (MODULES.containsKey(owner)) {
      return Optional.of(new Parameter(block + MODULES.get(owner), name.substring(dot + 1)));
    }
    // Scales of the fused experts: gate_up_proj_scale
    if (name.endsWith("_scale") && MODULES.containsKey(name.substring(0, name.length() - 6))) {
      String scaled = MODULES.get(name.substring(0, name.length() - 6));
      return Optional.of(new Parameter(block + scaled, "weight_scale"));
    }
    return Optional.empty();
  }
}
