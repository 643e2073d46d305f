package org.llamaj.loading;

import java.util.Set;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.Shape;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.RopeScaling;

/** Reads the proportions of a model from its metadata, under the keys that GGUF defines. */
final class ConfigurationReader {

  /** The architectures this library runs. */
  private static final Set<String> ARCHITECTURES = Set.of("llama");

  private static final int MAX_DIM = 1 << 20;
  private static final int MAX_LAYERS = 4096;
  private static final int MAX_EXPERTS = 65_536;

  private final Checkpoint checkpoint;
  private final Metadata metadata;
  private final String architecture;

  private ConfigurationReader(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    metadata = checkpoint.metadata();
    architecture = metadata.requireString("general.architecture");
  }

  /**
   * Reads and checks the configuration.
   *
   * @throws CheckpointException if the file is no model, of an unknown architecture, or claims
   *     impossible proportions
   */
  static Configuration read(Checkpoint checkpoint) {
    return new ConfigurationReader(checkpoint).read();
  }

  private Configuration read() {
    String type = metadata.string("general.type").orElse("model");
    if (!type.equals("model")) {
      throw wrong("general.type", "model", type + "; an adapter is loaded on top of a model");
    }
    if (!ARCHITECTURES.contains(architecture)) {
      throw wrong("general.architecture", "one of " + ARCHITECTURES, architecture);
    }
    int dim = require("embedding_length", MAX_DIM);
    int heads = require("attention.head_count", MAX_DIM);
    int kvHeads = intOr("attention.head_count_kv", heads, 1, heads);
    if (heads % kvHeads != 0) {
      throw wrong(
          key("attention.head_count_kv"), "a divisor of %d heads".formatted(heads), kvHeads);
    }
    int headDim = headDim(dim, heads);
    int experts = intOr("expert_count", 0, 0, MAX_EXPERTS);
    return new Configuration(
        architecture,
        vocabularySize(),
        require("context_length", Integer.MAX_VALUE),
        dim,
        require("block_count", MAX_LAYERS),
        heads,
        kvHeads,
        headDim,
        require("feed_forward_length", 16 * MAX_DIM),
        experts,
        experts == 0 ? 0 : metadata.requireInt(key("expert_used_count"), 1, experts),
        normEps(),
        ropeDimensions(headDim),
        positive("rope.freq_base", 10_000),
        ropeScaling());
  }

  private int headDim(int dim, int heads) {
    if (metadata.integer(key("attention.key_length")).isEmpty() && dim % heads != 0) {
      throw wrong(key("attention.head_count"), "a divisor of the embedding length " + dim, heads);
    }
    int headDim = intOr("attention.key_length", dim / heads, 1, MAX_DIM);
    int valueLength = intOr("attention.value_length", headDim, 1, MAX_DIM);
    if (valueLength != headDim) {
      throw wrong(key("attention.value_length"), "the key length " + headDim, valueLength);
    }
    return headDim;
  }

  private int ropeDimensions(int headDim) {
    int dimensions = intOr("rope.dimension_count", headDim, 2, headDim);
    if (dimensions % 2 != 0) {
      throw wrong(key("rope.dimension_count"), "an even number", dimensions);
    }
    return dimensions;
  }

  private float normEps() {
    String key = key("attention.layer_norm_rms_epsilon");
    double eps = metadata.requireNumber(key);
    if (eps < 0 || eps > 1) {
      throw wrong(key, "a number from 0 to 1", eps);
    }
    return (float) eps;
  }

  private RopeScaling ropeScaling() {
    String typeKey = key("rope.scaling.type");
    String type = metadata.string(typeKey).orElse("linear");
    float factor =
        (float) positive("rope.scaling.factor", metadata.numberOr(key("rope.scale_linear"), 1));
    return switch (type) {
      case "none" -> new RopeScaling.None();
      case "linear" -> factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
      case "yarn" ->
          new RopeScaling.Yarn(
              factor,
              require("rope.scaling.original_context_length", Integer.MAX_VALUE),
              (float) positive("rope.scaling.yarn_beta_fast", 32),
              (float) positive("rope.scaling.yarn_beta_slow", 1),
              (float) positive("rope.scaling.attn_factor", 1));
      default -> throw wrong(typeKey, "none, linear or yarn", type);
    };
  }

  private int vocabularySize() {
    Shape shape = checkpoint.tensor("token_embd.weight").shape();
    if (shape.rank() != 2 || shape.size(0) > Integer.MAX_VALUE) {
      throw wrong("token_embd.weight", "a tensor of shape [vocabulary, dim]", shape);
    }
    return (int) shape.size(0);
  }

  private int require(String name, int maximum) {
    return metadata.requireInt(key(name), 1, maximum);
  }

  private int intOr(String name, int fallback, int minimum, int maximum) {
    return metadata.intOr(key(name), fallback, minimum, maximum);
  }

  private double positive(String name, double fallback) {
    double value = metadata.numberOr(key(name), fallback);
    if (value <= 0) {
      throw wrong(key(name), "a positive number", value);
    }
    return value;
  }

  private String key(String name) {
    return architecture + "." + name;
  }

  private CheckpointException wrong(String place, String expected, Object found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(checkpoint.source(), place, expected, found));
  }
}
