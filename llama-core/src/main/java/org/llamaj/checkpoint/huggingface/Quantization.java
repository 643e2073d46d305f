package org.llamaj.checkpoint.huggingface;

import java.util.Optional;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;

/**
 * What {@code quantization_config} says; 8-bit floats are read, other kinds are refused by name.
 */
enum Quantization {
  /** Weights as they were trained. */
  NONE,
  /** 8-bit floats with scales beside them: {@code weight_scale} or {@code weight_scale_inv}. */
  FLOAT8;

  private static final String KEY = "quantization_config";

  static Quantization of(JsonObject config) {
    Optional<JsonObject> found =
        config
            .object(KEY)
            .or(() -> config.object("compression_config"))
            .or(() -> config.object("text_config").flatMap(text -> text.object(KEY)));
    if (found.isEmpty()) return NONE;
    JsonObject quantization = found.get();
    String method = quantization.string("quant_method").orElse("none");
    return switch (method) {
      case "fbgemm_fp8", "fp8" -> FLOAT8;
      case "compressed-tensors" -> compressed(quantization);
      default ->
          throw unsupported(
              quantization,
              "quant_method",
              "%s%s".formatted(method, method.equals("bitsandbytes") ? bits(quantization) : ""));
    };
  }

  private static Quantization compressed(JsonObject quantization) {
    String format = quantization.string("format").orElse("none");
    JsonObject groups = quantization.requireObject("config_groups");
    for (String group : groups.names()) {
      Optional<JsonObject> weights = groups.requireObject(group).object("weights");
      boolean float8 =
          weights.isPresent()
              && weights.get().string("type").orElse("").equals("float")
              && weights.get().intOr("num_bits", 0, 0, 64) == 8;
      if (!float8) {
        String what =
            weights
                .map(
                    w ->
                        "%s of %d bits, %s"
                            .formatted(
                                w.string("type").orElse("?"),
                                w.intOr("num_bits", 0, 0, 64),
                                format))
                .orElse(format);
        throw unsupported(groups, group, "compressed-tensors of the kind " + what);
      }
    }
    return FLOAT8;
  }

  private static String bits(JsonObject quantization) {
    return quantization.boolOr("load_in_4bit", false) ? " (4 bits)" : " (8 bits)";
  }

  private static CheckpointException unsupported(JsonObject place, String member, String what) {
    return new CheckpointException(
        "%s.%s: %s is not supported; take the model as it was before, or as GGUF (or in 8-bit floats)"
            .formatted(place.path(), member, what));
  }
}
