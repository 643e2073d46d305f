package org.llamaj.loading;

import java.util.Arrays;
import java.util.List;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.tensor.Shape;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.CrossAttention;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.InterleavedAttention;
import org.llamaj.transformer.Rope;
import org.llamaj.transformer.RopeScaling;

/** Reads the proportions of a model from its metadata, under the keys that GGUF defines. */
final class ConfigurationReader {

  private static final String LLAMA = "llama";
  private static final String LLAMA4 = "llama4";
  private static final String MLLAMA = "mllama";

  /** The architectures this library runs. */
  private static final List<String> ARCHITECTURES = List.of(LLAMA, LLAMA4, MLLAMA);

  private static final int MAX_DIM = 1 << 20;
  private static final int MAX_FEED_FORWARD = 16 * MAX_DIM;
  private static final int MAX_LAYERS = 4096;
  private static final int MAX_EXPERTS = 65_536;

  /** GGUF files have no key for it: Maverick, known by its number of experts, goes without. */
  private static final int EXPERTS_OF_MAVERICK = 128;

  private final Checkpoint checkpoint;
  private final String architecture;
  private final ArchitectureKeys keys;

  private ConfigurationReader(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
    architecture = checkpoint.metadata().requireString("general.architecture");
    keys = new ArchitectureKeys(checkpoint, architecture);
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
    checkArchitecture();
    int dim = keys.require("embedding_length", 1, MAX_DIM);
    int layers = keys.require("block_count", 1, MAX_LAYERS);
    int heads = keys.require("attention.head_count", 1, MAX_DIM);
    int kvHeads = keys.intOr("attention.head_count_kv", heads, 1, heads);
    if (heads % kvHeads != 0) {
      throw keys.wrong(
          "attention.head_count_kv", "a divisor of %d heads".formatted(heads), kvHeads);
    }
    int headDim = headDim(dim, heads);
    int feedForwardDim = keys.require("feed_forward_length", 1, MAX_FEED_FORWARD);
    Experts experts = experts(feedForwardDim, layers);
    return new Configuration(
        architecture,
        vocabularySize(),
        keys.require("context_length", 1, Integer.MAX_VALUE),
        dim,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForwardDim,
        normEps(),
        new Rope(
            ropeDimensions(headDim),
            keys.positiveOr("rope.freq_base", 10_000),
            ropeScaling(),
            keys.boolOr(Metadata.ROPE_HALF_SPLIT, false)
                ? RotaryPairs.HALF_SPLIT
                : RotaryPairs.INTERLEAVED),
        interleavedAttention(experts),
        experts,
        crossAttention(layers));
  }

  private void checkArchitecture() {
    Metadata metadata = checkpoint.metadata();
    String type = metadata.string("general.type").orElse("model");
    if (!type.equals("model")) {
      throw wrong("general.type", "model", type + "; an adapter is loaded on top of a model");
    }
    if (!ARCHITECTURES.contains(architecture)) {
      throw wrong("general.architecture", "one of " + ARCHITECTURES, architecture);
    }
  }

  private int headDim(int dim, int heads) {
    if (!keys.has("attention.key_length") && dim % heads != 0) {
      throw keys.wrong("attention.head_count", "a divisor of the embedding length " + dim, heads);
    }
    int headDim = keys.intOr("attention.key_length", dim / heads, 1, MAX_DIM);
    if (architecture.equals(LLAMA4) && headDim % 2 != 0) {
      throw keys.wrong("attention.key_length", "an even number", headDim);
    }
    int valueLength = keys.intOr("attention.value_length", headDim, 1, MAX_DIM);
    if (valueLength != headDim) {
      throw keys.wrong("attention.value_length", "the key length " + headDim, valueLength);
    }
    return headDim;
  }

  private int ropeDimensions(int headDim) {
    int dimensions = keys.intOr("rope.dimension_count", headDim, 2, headDim);
    if (dimensions % 2 != 0) {
      throw keys.wrong("rope.dimension_count", "an even number", dimensions);
    }
    return dimensions;
  }

  private float normEps() {
    String name = "attention.layer_norm_rms_epsilon";
    double eps = keys.requireNumber(name);
    if (eps < 0 || eps > 1) {
      throw keys.wrong(name, "a number from 0 to 1", eps);
    }
    return (float) eps;
  }

  private RopeScaling ropeScaling() {
    String type = keys.stringOr("rope.scaling.type", "linear");
    float factor =
        (float) keys.positiveOr("rope.scaling.factor", keys.numberOr("rope.scale_linear", 1));
    return switch (type) {
      case "none" -> new RopeScaling.None();
      case "linear" -> factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
      case "yarn" ->
          new RopeScaling.Yarn(
              factor,
              keys.require("rope.scaling.original_context_length", 1, Integer.MAX_VALUE),
              (float) keys.positiveOr("rope.scaling.yarn_beta_fast", 32),
              (float) keys.positiveOr("rope.scaling.yarn_beta_slow", 1),
              (float) keys.positiveOr("rope.scaling.attn_factor", 1));
      default -> throw keys.wrong("rope.scaling.type", "none, linear or yarn", type);
    };
  }

  private Experts experts(int feedForwardDim, int layers) {
    int count = keys.intOr("expert_count", 0, 0, MAX_EXPERTS);
    if (count == 0) {
      return Experts.NONE;
    }
    int used = keys.require("expert_used_count", 1, count);
    if (architecture.equals(LLAMA)) {
      int dim = keys.intOr("expert_feed_forward_length", feedForwardDim, 1, MAX_FEED_FORWARD);
      return new Experts(count, used, dim, 1, false, ExpertRouting.SOFTMAX);
    }
    return new Experts(
        count,
        used,
        keys.require("expert_feed_forward_length", 1, MAX_FEED_FORWARD),
        keys.require("interleave_moe_layer_step", 1, layers),
        true,
        ExpertRouting.SIGMOID_OF_INPUT);
  }

  /**
   * Llama 4's layers. The keys are mostly absent from files, whose readers know the values of the
   * published models. A window of 0 turns chunks off, and global layers too unless the pattern is
   * given.
   */
  private InterleavedAttention interleavedAttention(Experts experts) {
    if (!architecture.equals(LLAMA4)) {
      return InterleavedAttention.NONE;
    }
    int chunk = keys.intOr("attention.sliding_window", 8192, 0, Integer.MAX_VALUE);
    return new InterleavedAttention(
        keys.intOr("attention.sliding_window_pattern", chunk == 0 ? 0 : 4, 0, MAX_LAYERS),
        chunk,
        keys.numberOr("attention.temperature_scale", 0.1),
        keys.intOr("attention.temperature_length", 8192, 1, Integer.MAX_VALUE),
        keys.boolOr(Metadata.QUERY_KEY_NORM, experts.count() != EXPERTS_OF_MAVERICK));
  }

  /** Llama 3.2 Vision reads tokens that it never writes. */
  private int vocabularySize() {
    return architecture.equals(MLLAMA) ? rows("output.weight") : rows("token_embd.weight");
  }

  private int rows(String tensor) {
    Shape shape = checkpoint.description(tensor).shape();
    if (shape.rank() != 2 || shape.size(0) > Integer.MAX_VALUE) {
      throw wrong(tensor, "a tensor of shape [vocabulary, dim]", shape);
    }
    return (int) shape.size(0);
  }

  private CrossAttention crossAttention(int layers) {
    if (!architecture.equals(MLLAMA)) {
      return CrossAttention.NONE;
    }
    String key = "attention.cross_attention_layers";
    List<Integer> indices =
        keys.integers(key).stream().flatMapToInt(Arrays::stream).sorted().boxed().toList();
    if (indices.stream().anyMatch(index -> index < 0 || index >= layers)) {
      throw keys.wrong(key, "layers from 0 to " + (layers - 1), indices);
    }
    int extra = rows("token_embd.weight") - rows("output.weight");
    if (extra < 0) {
      throw wrong(
          "token_embd.weight", "at least as many rows as output.weight", rows("token_embd.weight"));
    }
    return new CrossAttention(indices, extra);
  }

  private CheckpointException wrong(String place, String expected, Object found) {
    return new CheckpointException(
        "%s: %s: expected %s, found %s".formatted(checkpoint.source(), place, expected, found));
  }
}
