package org.llamaj.checkpoint.huggingface;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;

/**
 * What {@code adapter_config.json} says about an adapter of PEFT. Variants of LoRA whose update is
 * not s B A of the weights as they are published are refused by name.
 */
final class PeftConfig {
  private static final int MAX_RANK = 1 << 16;

  /** Ways to begin a training that change the model's own weights. */
  private static final List<String> CHANGING_THE_BASE = List.of("pissa", "olora", "corda", "loftq");

  /** Settings that must be absent, null, false or empty, and what they are called. */
  private static final Map<String, String> UNSUPPORTED =
      new TreeMap<>(
          Map.of(
              "use_dora", "DoRA",
              "use_qalora", "QALoRA",
              "lora_bias", "a bias beside B",
              "fan_in_fan_out", "transposed weights",
              "modules_to_save", "modules that were trained whole",
              "trainable_token_indices", "tokens that were trained whole",
              "layer_replication", "layers that are there several times",
              "target_parameters", "adapters of parameters",
              "alora_invocation_tokens", "activated LoRA",
              "megatron_config", "Megatron's layers"));

  private final JsonObject config;
  private final int rank;
  private final double alpha;
  private final boolean stable;
  private final Map<Pattern, Number> ranks;
  private final Map<Pattern, Number> alphas;

  private PeftConfig(JsonObject config) {
    this.config = config;
    String kind = config.requireString("peft_type");
    if (!kind.equals("LORA")) throw config.wrong("peft_type", "LORA");
    UNSUPPORTED.forEach(this::refuse);
    if (!config.string("bias").orElse("none").equals("none")) {
      throw config.wrong("bias", "none; biases that were trained are not supported");
    }
    refuseChangedBase();
    rank = config.intOr("r", 8, 1, MAX_RANK);
    alpha = config.numberOr("lora_alpha", 8);
    stable = config.boolOr("use_rslora", false);
    ranks = patterns("rank_pattern");
    alphas = patterns("alpha_pattern");
  }

  static PeftConfig read(Path file) {
    return new PeftConfig(JsonObject.read(file));
  }

  private void refuse(String setting, String what) {
    Object value = config.value(setting);
    boolean unset =
        switch (value) {
          case null -> true;
          case Boolean flag -> !flag;
          case List<?> list -> list.isEmpty();
          case Map<?, ?> map -> map.isEmpty();
          default -> false;
        };
    if (!unset) throw config.wrong(setting, "none: %s is not supported".formatted(what));
  }

  private void refuseChangedBase() {
    if (!(config.value("init_lora_weights") instanceof String how)) return;
    if (CHANGING_THE_BASE.stream().anyMatch(how.toLowerCase(java.util.Locale.ROOT)::startsWith)) {
      throw config.wrong(
          "init_lora_weights",
          "an adapter for the model as it is published; save it with path_initial_model_for_weight_conversion");
    }
  }

  private Map<Pattern, Number> patterns(String member) {
    Map<Pattern, Number> patterns = new java.util.LinkedHashMap<>();
    Optional<JsonObject> object = config.object(member);
    if (object.isEmpty()) return patterns;
    for (String key : object.get().names()) {
      Number value =
          member.equals("rank_pattern")
              ? object.get().requireInt(key, 1, MAX_RANK)
              : (Number) object.get().requireNumber(key);
      patterns.put(pattern(member, "(.*\\.)?(" + key + ")"), value);
    }
    return patterns;
  }

  private Pattern pattern(String member, String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new CheckpointException(
          "%s: %s: expected regular expressions, found %s"
              .formatted(config.path(), member, e.getMessage()),
          e);
    }
  }

  /** The first pattern that fits counts, as in PEFT. */
  private Number find(Map<Pattern, Number> patterns, String module, Number otherwise) {
    return patterns.entrySet().stream()
        .filter(entry -> matches(entry.getKey(), module))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(otherwise);
  }

  private boolean matches(Pattern pattern, String module) {
    return pattern.matcher(new PatientText(module, config.path())).matches();
  }

  /** Of a module such as {@code model.layers.0.self_attn.q_proj}. */
  int rank(String module) {
    return find(ranks, module, rank).intValue();
  }

  /** alpha / r, or alpha / sqrt(r) if rank-stabilised (Kalajdzievski 2023). */
  double scaling(String module) {
    double moduleAlpha = find(alphas, module, alpha).doubleValue();
    int moduleRank = rank(module);
    return moduleAlpha / (stable ? Math.sqrt(moduleRank) : moduleRank);
  }

  /** Whether a module is among those that were adapted. */
  boolean targets(String module) {
    Object targets = config.value("target_modules");
    return switch (targets) {
      case null -> true;
      case String all when all.equals("all-linear") -> true;
      case String regex -> matches(pattern("target_modules", regex), module);
      case List<?> names ->
          names.stream().anyMatch(name -> module.equals(name) || module.endsWith("." + name));
      default -> throw config.wrong("target_modules", "a list of names, or a regular expression");
    };
  }

  /** A text that loses patience with expressions that would look at it forever. */
  private record PatientText(String text, int[] left, String source) implements CharSequence {
    private static final int LOOKS = 1_000_000;

    PatientText(String text, String source) {
      this(text, new int[] {LOOKS}, source);
    }

    @Override
    public char charAt(int index) {
      if (left[0]-- <= 0) {
        throw new CheckpointException(
            "%s: expected regular expressions that are quick to match, found one that is not"
                .formatted(source));
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
