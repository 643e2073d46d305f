package org.llamaj.checkpoint.huggingface;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.MetadataBuilder;
import org.llamaj.checkpoint.MetadataValue;

/**
 * What {@code config.json} says about a model's image encoder under {@code vision_config}, and
 * {@code preprocessor_config.json} about the pictures it takes.
 */
final class VisionConfig {
  private static final String PREPROCESSOR = "preprocessor_config.json";
  private static final int MOST = 1 << 16;

  private final String kind;
  private final JsonObject config;
  private final Optional<JsonObject> preprocessor;

  private VisionConfig(String kind, JsonObject config, Optional<JsonObject> preprocessor) {
    this.kind = kind;
    this.config = config;
    this.preprocessor = preprocessor;
  }

  /** Empty for a model of text. */
  static Optional<VisionConfig> of(JsonObject root, Path directory) {
    Family family = Family.of(root);
    if (family != Family.LLAMA4 && family != Family.MLLAMA) {
      return Optional.empty();
    }
    Optional<JsonObject> preprocessor =
        HuggingFaceReader.exists(directory, PREPROCESSOR)
            ? Optional.of(JsonObject.read(directory.resolve(PREPROCESSOR)))
            : Optional.empty();
    return root.object("vision_config")
        .map(config -> new VisionConfig(family.architecture(), config, preprocessor));
  }

  /** Writes the keys of encoders in GGUF files. */
  void describe(MetadataBuilder out) {
    String v = "clip.vision.";
    String heads = config.has("num_attention_heads") ? "num_attention_heads" : "attention_heads";
    out.text("clip.projector_type", kind)
        .whole(v + "image_size", number("image_size"))
        .whole(v + "patch_size", number("patch_size"))
        .whole(v + "embedding_length", number("hidden_size"))
        .whole(v + "feed_forward_length", number("intermediate_size"))
        .whole(v + "attention.head_count", number(heads))
        .whole(v + "block_count", number("num_hidden_layers"))
        .real(v + "attention.layer_norm_epsilon", config.numberOr("norm_eps", 1e-5));
    boolean llama4 = kind.equals("llama4");
    String mostTiles = llama4 ? "max_patches" : "max_image_tiles";
    int usual = llama4 ? 16 : config.intOr("max_num_tiles", 4, 1, MOST);
    out.whole(
        v + "max_tiles", preprocessor.map(p -> p.intOr(mostTiles, usual, 1, MOST)).orElse(usual));
    if (llama4) {
      out.real(v + "rope.freq_base", config.numberOr("rope_theta", 10_000));
      colours(out, v + "image_mean", "image_mean", 0.5f, 0.5f, 0.5f);
      colours(out, v + "image_std", "image_std", 0.5f, 0.5f, 0.5f);
    } else {
      out.whole(v + "global_block_count", number("num_global_layers"));
      long[] layers = config.integers("intermediate_layers_indices");
      int[] indices = new int[layers.length];
      for (int i = 0; i < indices.length; i++) {
        indices[i] = Math.toIntExact(layers[i]);
      }
      out.put(v + "intermediate_layers", MetadataValue.Sequence.ofInts(indices));
      colours(out, v + "image_mean", "image_mean", 0.48145466f, 0.4578275f, 0.40821073f);
      colours(out, v + "image_std", "image_std", 0.26862954f, 0.26130258f, 0.27577711f);
    }
  }

  private int number(String name) {
    return config.requireInt(name, 1, MOST);
  }

  private void colours(MetadataBuilder out, String key, String name, float... usual) {
    float[] values = usual;
    Optional<List<?>> given = preprocessor.flatMap(p -> p.array(name));
    if (given.isPresent()) {
      values = new float[given.get().size()];
      for (int i = 0; i < values.length; i++) {
        if (!(given.get().get(i) instanceof Number number)) {
          throw preprocessor.get().wrong(name, "numbers");
        }
        values[i] = number.floatValue();
      }
    }
    out.put(key, MetadataValue.Sequence.ofFloats(values));
  }
}
