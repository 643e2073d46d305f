package org.llamaj.checkpoint.huggingface;

import java.util.Optional;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;

/** The kinds of models that this library knows, by {@code model_type}. */
enum Family {
  /** Llama 1 to 3.3, and models of the same shape. */
  LLAMA("llama", true, 10_000),
  /** Mixtures of experts of Mixtral's kind. */
  MIXTRAL("llama", true, 1_000_000),
  /** Llama 4; its queries and keys are in Meta's order. */
  LLAMA4("llama4", false, 500_000),
  /** Llama 3.2 Vision. */
  MLLAMA("mllama", true, 500_000);

  private final String architecture;
  private final boolean halfSplit;
  private final double defaultTheta;

  Family(String architecture, boolean halfSplit, double defaultTheta) {
    this.architecture = architecture;
    this.halfSplit = halfSplit;
    this.defaultTheta = defaultTheta;
  }

  static Family of(JsonObject config) {
    String type = config.string("model_type").orElseGet(() -> architectures(config));
    return switch (type) {
      case "llama", "mistral", "LlamaForCausalLM", "MistralForCausalLM" -> LLAMA;
      case "mixtral", "MixtralForCausalLM" -> MIXTRAL;
      case "llama4", "llama4_text", "Llama4ForConditionalGeneration", "Llama4ForCausalLM" -> LLAMA4;
      case "mllama", "mllama_text_model", "MllamaForConditionalGeneration" -> MLLAMA;
      default ->
          throw new CheckpointException(
              "%s: model_type: expected llama, mistral, mixtral, llama4 or mllama, found %s"
                  .formatted(config.path(), type.isEmpty() ? "none" : type));
    };
  }

  private static String architectures(JsonObject config) {
    Optional<Object> first =
        config
            .array("architectures")
            .filter(list -> !list.isEmpty())
            .map(list -> (Object) list.getFirst());
    return first.map(String::valueOf).orElse("");
  }

  /** What GGUF calls it. */
  String architecture() {
    return architecture;
  }

  /** Whether rotary pairs are half a head apart. */
  boolean halfSplit() {
    return halfSplit;
  }

  /** Whether rotary pairs are half a head apart in models of an architecture, by its GGUF name. */
  static boolean halfSplit(String architecture) {
    return !architecture.equals(LLAMA4.architecture);
  }

  /** The base of rotary frequencies where config.json says nothing. */
  double defaultTheta() {
    return defaultTheta;
  }
}
