package org.llamaj.checkpoint.meta;

import java.util.Optional;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.Llama3Scaling;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.checkpoint.MetadataBuilder;
import org.llamaj.tensor.Shape;

/**
 * What {@code params.json} says, and what it leaves to the code that reads it: the width of the
 * feed-forward network follows from the tensors, the length of the context from the generation.
 */
final class Parameters {
  private static final int MAX_DIM = 1 << 20;
  private static final int MAX_LAYERS = 4096;

  /** Llama 3.2 has the factor 32, and no model wider than this; 3.1 and 3.3 have 8. */
  private static final int WIDEST_OF_LLAMA_3_2 = 3072;

  private final JsonObject params;
  private final int dim;
  private final int heads;
  private final int kvHeads;
  private final int vocabularySize;
  private final int feedForwardDim;

  private Parameters(JsonObject params, Shape embedding, Shape gate) {
    this.params = params;
    dim = params.requireInt("dim", 1, MAX_DIM);
    heads = params.requireInt("n_heads", 1, MAX_DIM);
    kvHeads = params.intOr("n_kv_heads", heads, 1, heads);
    if (dim % heads != 0) throw params.wrong("n_heads", "a divisor of the dim " + dim);
    vocabularySize = (int) Math.min(embedding.size(0), Integer.MAX_VALUE);
    feedForwardDim = (int) Math.min(gate.size(0), 16L * MAX_DIM);
    int claimed = params.intOr("vocab_size", -1, -1, Integer.MAX_VALUE); // -1: the tokenizer's
    if (claimed > 0 && claimed != vocabularySize) {
      throw params.wrong("vocab_size", "as many as tok_embeddings has rows, " + vocabularySize);
    }
  }

  static Parameters of(JsonObject params, ShardMerge tensors) {
    if (params.has("moe_args") || params.has("vision_chunk_size")) {
      throw new CheckpointException(
          params.path()
              + ": expected a Llama 1 to 3 for text, found one with experts or pictures; take the model as on Hugging Face, or as GGUF");
    }
    Parameters model =
        new Parameters(
            params,
            tensors.shape("tok_embeddings.weight"),
            tensors.shape("layers.0.feed_forward.w1.weight"));
    Shape queries = tensors.shape("layers.0.attention.wq.weight");
    if (queries.size(0) != model.dim) {
      throw new CheckpointException(
          "%s: dim: expected as many query rows in all files, %d, found %d; is a file missing?"
              .formatted(params.path(), model.dim, queries.size(0)));
    }
    return model;
  }

  int headDim() {
    return dim / heads;
  }

  double ropeTheta() {
    double theta = params.numberOr("rope_theta", 10_000);
    if (theta <= 0) throw params.wrong("rope_theta", "a positive number");
    return theta;
  }

  /** Meta's code has had the numbers in it, and params.json only whether to use them. */
  Optional<Llama3Scaling> scaling() {
    if (!params.boolOr("use_scaled_rope", false)) return Optional.empty();
    double usual = dim <= WIDEST_OF_LLAMA_3_2 ? 32 : 8;
    return Optional.of(
        new Llama3Scaling(
            params.numberOr("rope_scaling_factor", usual),
            1,
            params.numberOr("rope_high_freq_factor", 4),
            8192));
  }

  private int contextLength() {
    if (params.boolOr("use_scaled_rope", false)) return 131_072; // Llama 3.1 and later
    if (ropeTheta() == 500_000) return 8192; // Llama 3
    if (ropeTheta() == 1_000_000) return 16_384; // Code Llama
    return params.requireNumber("norm_eps") < 5e-6 ? 2048 : 4096; // Llama 1, Llama 2
  }

  /** Writes GGUF's keys. */
  void describe(MetadataBuilder out, String name) {
    out.text("general.architecture", "llama")
        .text("general.name", name)
        .whole("llama.vocab_size", vocabularySize)
        .whole(
            "llama.context_length",
            params.intOr("max_seq_len", contextLength(), 1, Integer.MAX_VALUE))
        .whole("llama.embedding_length", dim)
        .whole("llama.block_count", params.requireInt("n_layers", 1, MAX_LAYERS))
        .whole("llama.feed_forward_length", feedForwardDim)
        .whole("llama.attention.head_count", heads)
        .whole("llama.attention.head_count_kv", kvHeads)
        .real("llama.attention.layer_norm_rms_epsilon", params.requireNumber("norm_eps"))
        .whole("llama.rope.dimension_count", headDim())
        .real("llama.rope.freq_base", ropeTheta())
        .flag("llama." + Metadata.ROPE_HALF_SPLIT, false);
  }
}
