package org.llamaj.checkpoint.huggingface;

import java.util.Optional;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.Llama3Scaling;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataBuilder;
import org.llamaj.checkpoint.MetadataValue;

/**
 * What {@code config.json} says about the language model. Models with pictures keep it under {@code
 * text_config}.
 */
final class ModelConfig {
  private static final int MAX_DIM = 1 << 20;
  private static final int MAX_LAYERS = 4096;
  private static final int MAX_EXPERTS = 65_536;

  private final Family family;
  private final JsonObject config;
  private final boolean tied;

  private ModelConfig(Family family, JsonObject config, boolean tied) {
    this.family = family;
    this.config = config;
    this.tied = tied;
  }

  static ModelConfig of(JsonObject root) {
    JsonObject config = root.object("text_config").orElse(root);
    Family family = Family.of(root);
    ModelConfig model =
        new ModelConfig(
            family,
            config,
            config.boolOr("tie_word_embeddings", root.boolOr("tie_word_embeddings", false)));
    model.refuseWhatIsUnknown();
    return model;
  }

  private void refuseWhatIsUnknown() {
    String activation = config.string("hidden_act").orElse("silu");
    if (!activation.equals("silu")) throw config.wrong("hidden_act", "silu");
    if (config.boolOr("mlp_bias", false)) {
      throw config.wrong("mlp_bias", "false: feed-forward networks with biases are not supported");
    }
    if (family == Family.LLAMA && config.has("sliding_window")) {
      throw config.wrong("sliding_window", "null: sliding windows are not supported");
    }
  }

  Family family() {
    return family;
  }

  /** Whether the output projection is the embedding. */
  boolean tied() {
    return tied;
  }

  int vocabularySize() {
    return config.requireInt("vocab_size", 1, Integer.MAX_VALUE);
  }

  double ropeTheta() {
    double theta =
        config
            .object("rope_parameters")
            .filter(rope -> rope.has("rope_theta"))
            .map(rope -> rope.requireNumber("rope_theta"))
            .orElseGet(() -> config.numberOr("rope_theta", family.defaultTheta()));
    if (theta <= 0) throw config.wrong("rope_theta", "a positive number");
    return theta;
  }

  int ropeDimensions() {
    double part = config.numberOr("partial_rotary_factor", 1);
    if (part != 1) throw config.wrong("partial_rotary_factor", "1");
    return headDim();
  }

  Optional<Llama3Scaling> llama3Scaling() {
    return scaling()
        .filter(rope -> kind(rope).equals("llama3"))
        .map(
            rope ->
                new Llama3Scaling(
                    rope.requireNumber("factor"),
                    rope.requireNumber("low_freq_factor"),
                    rope.requireNumber("high_freq_factor"),
                    rope.requireInt("original_max_position_embeddings", 1, Integer.MAX_VALUE)));
  }

  private Optional<JsonObject> scaling() {
    Optional<JsonObject> scaling = config.object("rope_scaling");
    return scaling.isPresent() ? scaling : config.object("rope_parameters");
  }

  private static String kind(JsonObject rope) {
    return rope.string("rope_type").or(() -> rope.string("type")).orElse("default");
  }

  private int headDim() {
    if (config.has("head_dim")) return config.requireInt("head_dim", 1, MAX_DIM);
    int dim = config.requireInt("hidden_size", 1, MAX_DIM);
    int heads = config.requireInt("num_attention_heads", 1, MAX_DIM);
    if (dim % heads != 0) throw config.wrong("num_attention_heads", "a divisor of " + dim);
    return dim / heads;
  }

  /** Writes GGUF's keys. */
  void describe(MetadataBuilder out, String name) {
    String arch = family.architecture() + ".";
    int heads = config.requireInt("num_attention_heads", 1, MAX_DIM);
    out.text("general.architecture", family.architecture())
        .text("general.name", name)
        .whole(arch + "vocab_size", vocabularySize())
        .whole(
            arch + "context_length",
            config.requireInt("max_position_embeddings", 1, Integer.MAX_VALUE))
        .whole(arch + "embedding_length", config.requireInt("hidden_size", 1, MAX_DIM))
        .whole(arch + "block_count", config.requireInt("num_hidden_layers", 1, MAX_LAYERS))
        .whole(arch + "attention.head_count", heads)
        .whole(
            arch + "attention.head_count_kv",
            config.intOr("num_key_value_heads", heads, 1, MAX_DIM))
        .whole(arch + "attention.key_length", headDim())
        .whole(arch + "attention.value_length", headDim())
        .real(arch + "attention.layer_norm_rms_epsilon", config.requireNumber("rms_norm_eps"))
        .whole(arch + "rope.dimension_count", ropeDimensions())
        .real(arch + "rope.freq_base", ropeTheta())
        .flag(arch + Metadata.ROPE_HALF_SPLIT, family.halfSplit());
    scaling().ifPresent(rope -> describeScaling(out, arch, rope));
    switch (family) {
      case LLAMA -> out.whole(arch + "feed_forward_length", width("intermediate_size"));
      case MIXTRAL ->
          out.whole(arch + "feed_forward_length", width("intermediate_size"))
              .whole(arch + "expert_count", config.requireInt("num_local_experts", 1, MAX_EXPERTS))
              .whole(
                  arch + "expert_used_count",
                  config.requireInt("num_experts_per_tok", 1, MAX_EXPERTS));
      case LLAMA4 -> describeLlama4(out, arch);
      case MLLAMA -> {
        out.whole(arch + "feed_forward_length", width("intermediate_size"));
        int[] cross = toInts(config.integers("cross_attention_layers"));
        out.put(arch + "attention.cross_attention_layers", MetadataValue.Sequence.ofInts(cross));
      }
    }
  }

  private int width(String name) {
    return config.requireInt(name, 1, 16 * MAX_DIM);
  }

  private void describeScaling(MetadataBuilder out, String arch, JsonObject rope) {
    switch (kind(rope)) {
      case "default", "llama3" -> {}
      case "linear" ->
          out.text(arch + "rope.scaling.type", "linear")
              .real(arch + "rope.scaling.factor", rope.requireNumber("factor"));
      case "yarn" -> {
        double factor = rope.requireNumber("factor");
        for (String unknown : new String[] {"mscale", "mscale_all_dim"}) {
          if (rope.has(unknown)) throw rope.wrong(unknown, "none");
        }
        int trained =
            rope.intOr(
                "original_max_position_embeddings",
                config.requireInt("max_position_embeddings", 1, Integer.MAX_VALUE),
                1,
                Integer.MAX_VALUE);
        double usual = 1 + 0.1 * Math.log(factor);
        out.text(arch + "rope.scaling.type", "yarn")
            .real(arch + "rope.scaling.factor", factor)
            .whole(arch + "rope.scaling.original_context_length", trained)
            .real(arch + "rope.scaling.yarn_beta_fast", rope.numberOr("beta_fast", 32))
            .real(arch + "rope.scaling.yarn_beta_slow", rope.numberOr("beta_slow", 1))
            .real(
                arch + "rope.scaling.attn_factor",
                rope.numberOr("attention_factor", usual) / usual);
      }
      case "dynamic" ->
          throw rope.wrong(
              rope.has("rope_type") ? "rope_type" : "type",
              "a scaling that does not change with the length of the text; without rope_scaling in"
                  + " config.json the model works up to the length it was trained for");
      default ->
          throw rope.wrong(
              rope.has("rope_type") ? "rope_type" : "type", "default, linear, yarn or llama3");
    }
  }

  /**
   * The width of experts is {@code intermediate_size}, that of dense layers has a name of its own.
   */
  private void describeLlama4(MetadataBuilder out, String arch) {
    int expertWidth = width("intermediate_size");
    int layers = config.requireInt("num_hidden_layers", 1, MAX_LAYERS);
    out.whole(
        arch + "feed_forward_length",
        config.has("intermediate_size_mlp") ? width("intermediate_size_mlp") : expertWidth);
    int step = expertStep(layers);
    if (step > 0) {
      out.whole(arch + "expert_count", config.requireInt("num_local_experts", 1, MAX_EXPERTS))
          .whole(arch + "expert_used_count", config.intOr("num_experts_per_tok", 1, 1, MAX_EXPERTS))
          .whole(arch + "expert_feed_forward_length", expertWidth)
          .whole(arch + "interleave_moe_layer_step", step);
    }
    boolean tuned = config.boolOr("attn_temperature_tuning", true);
    out.whole(
            arch + "attention.sliding_window",
            config.intOr("attention_chunk_size", 0, 0, Integer.MAX_VALUE))
        .whole(arch + "attention.sliding_window_pattern", globalEvery(layers))
        .real(arch + "attention.temperature_scale", tuned ? config.numberOr("attn_scale", 0.1) : 0)
        .whole(
            arch + "attention.temperature_length",
            config.intOr("floor_scale", 8192, 1, Integer.MAX_VALUE))
        .flag(arch + Metadata.QUERY_KEY_NORM, config.boolOr("use_qk_norm", true));
  }

  /** Every how many layers one has experts; 0 if none has. */
  private int expertStep(int layers) {
    int step = config.intOr("interleave_moe_layer_step", 1, 0, layers);
    if (config.intOr("num_local_experts", 0, 0, MAX_EXPERTS) == 0) return 0;
    if (!config.isArray("moe_layers")) return step;
    long[] listed = config.integers("moe_layers");
    if (listed.length == 0) return 0;
    for (int i = 0; i < listed.length; i++) {
      if (step == 0 || listed[i] != (i + 1L) * step - 1) {
        throw config.wrong("moe_layers", "every %d-th layer".formatted(step));
      }
    }
    return step;
  }

  /** Every how many layers one is without rotary positions; 0 if all have them. */
  private int globalEvery(int layers) {
    long[] listed = config.integers("no_rope_layers"); // 1 where a layer does have them
    if (listed.length == 0) {
      return config.intOr("no_rope_layer_interval", 4, 0, MAX_LAYERS);
    }
    int every = 0;
    for (int layer = 0; layer < listed.length && every == 0; layer++) {
      if (listed[layer] == 0) every = layer + 1;
    }
    for (int layer = 0; layer < listed.length; layer++) {
      boolean global = every > 0 && (layer + 1) % every == 0;
      if (listed.length != layers || (listed[layer] == 0) != global) {
        throw config.wrong("no_rope_layers", "%d layers, a 0 for every n-th".formatted(layers));
      }
    }
    return every;
  }

  private int[] toInts(long[] values) {
    int layers = config.requireInt("num_hidden_layers", 1, MAX_LAYERS);
    int[] ints = new int[values.length];
    for (int i = 0; i < ints.length; i++) {
      if (values[i] < 0 || values[i] >= layers) {
        throw config.wrong("cross_attention_layers", "layers from 0 to " + (layers - 1));
      }
      ints[i] = (int) values[i];
    }
    return ints;
  }
}
