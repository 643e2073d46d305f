package org.llamaj.checkpoint.synth;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.checkpoint.TensorDescription;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.gguf.GgufWriter;
import org.llamaj.checkpoint.gguf.WeightMix;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;

/**
 * Writes GGUF files with the exact shapes and types of real models and random weights. Weights have
 * the standard deviation 1/sqrt(columns), so that activations stay of order one. The same shape,
 * file type and seed give the same file.
 *
 * <p>A model in which only the first layers have an effect says the same as one that has no others
 * ({@link ModelShape#withLayers}, same seed, same type in all layers), and costs what all its
 * layers cost: a target and a draft model that agree, to measure speculative decoding with.
 *
 * <pre>{@code
 * ModelShape shape = ModelPreset.TINY_DENSE.shape();
 * new ModelSynthesizer(shape, FileType.Q4_K_M, 1).write(file, (bytes, total) -> {});
 * }</pre>
 */
public final class ModelSynthesizer {
  private static final int BUFFER_BYTES = 4 << 20;
  private static final float NORM_EPSILON = 1e-5f;
  private static final double ROPE_ORIGINAL_CONTEXT = 8192;

  /** Told how far the writing is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called every few megabytes.
     *
     * @param bytes of tensor data written
     * @param totalBytes of tensor data in all
     */
    void written(long bytes, long totalBytes);
  }

  private final ModelShape shape;
  private final FileType fileType;
  private final long seed;
  private final int effectiveLayers;

  /**
   * A recipe for a file.
   *
   * @param shape of the model
   * @param fileType the mixture of element types
   * @param seed of all random numbers
   */
  public ModelSynthesizer(ModelShape shape, FileType fileType, long seed) {
    this(shape, fileType, seed, shape.layers());
  }

  /**
   * A recipe for a file in which some layers have no effect.
   *
   * @param shape of the model
   * @param fileType the mixture of element types
   * @param seed of all random numbers
   * @param effectiveLayers how many of the first layers have an effect: what the others add to the
   *     residual stream is 0
   */
  public ModelSynthesizer(ModelShape shape, FileType fileType, long seed, int effectiveLayers) {
    if (effectiveLayers < 1 || effectiveLayers > shape.layers()) {
      throw new IllegalArgumentException(
          "effective layers: expected 1 to %d, found %d"
              .formatted(shape.layers(), effectiveLayers));
    }
    this.shape = shape;
    this.fileType = fileType;
    this.seed = seed;
    this.effectiveLayers = effectiveLayers;
  }

  /** {@return bytes of tensor data, which is the size of the file but for a small header} */
  public long bytes() {
    return bytes(tensors());
  }

  /**
   * Writes the file.
   *
   * @param file to be written, or replaced
   * @param progress told how far it is
   * @throws org.llamaj.checkpoint.CheckpointException if the file cannot be written
   */
  public void write(Path file, Progress progress) {
    List<TensorDescription> tensors = tensors();
    long totalBytes = bytes(tensors);
    long bytes = 0;
    try (GgufWriter writer = GgufWriter.create(file, metadata(), tensors);
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER_BYTES, 64);
      for (int i = 0; i < tensors.size(); i++) {
        TensorDescription tensor = tensors.get(i);
        RandomBits random = RandomBits.of(seed, i);
        int blockBytes = tensor.type().blockBytes();
        long capacity = BUFFER_BYTES / blockBytes * blockBytes;
        for (long written = 0; written < tensor.bytes(); ) {
          MemorySegment piece = buffer.asSlice(0, Math.min(capacity, tensor.bytes() - written));
          fill(tensor, piece, random);
          writer.write(piece);
          written += piece.byteSize();
          progress.written(bytes + written, totalBytes);
        }
        bytes += tensor.bytes();
      }
      writer.finish();
    }
  }

  private static long bytes(List<TensorDescription> tensors) {
    return tensors.stream().mapToLong(TensorDescription::bytes).sum();
  }

  private void fill(TensorDescription tensor, MemorySegment out, RandomBits random) {
    if (tensor.name().equals("rope_freqs.weight")) {
      copy(ropeFactors(), out);
    } else if (tensor.shape().rank() == 1) {
      float[] ones = new float[Math.toIntExact(tensor.shape().elements())];
      java.util.Arrays.fill(ones, 1f);
      copy(ones, out);
    } else if (hasNoEffect(tensor.name())) {
      out.fill((byte) 0); // zero in every type: scales are zero, too
    } else {
      float deviation = (float) (1 / Math.sqrt(tensor.shape().columns()));
      new RandomWeights(tensor.type(), deviation, random).fill(out);
    }
  }

  /** Whether it is what writes to the residual stream in a layer without effect. */
  private boolean hasNoEffect(String tensor) {
    String[] parts = tensor.split("\\.");
    return parts[0].equals("blk")
        && Integer.parseInt(parts[1]) >= effectiveLayers
        && (parts[2].equals("attn_output") || parts[2].startsWith("ffn_down"));
  }

  private static void copy(float[] floats, MemorySegment out) {
    ValueLayout.OfFloat layout =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    MemorySegment.copy(floats, 0, out, layout, 0, floats.length);
  }

  /**
   * By how much each rotary frequency is divided: 1 for short wave lengths, the scaling factor for
   * long ones, and a mixture between (Llama 3.1; Llama 4 has no mixture).
   */
  private float[] ropeFactors() {
    double lowest = 1;
    double highest = shape.hasSharedExpert() ? 1 : 4;
    float[] factors = new float[shape.headDim() / 2];
    for (int i = 0; i < factors.length; i++) {
      double frequency = Math.pow(shape.ropeTheta(), -2.0 * i / shape.headDim());
      double turns = ROPE_ORIGINAL_CONTEXT * frequency / (2 * Math.PI);
      double unscaled =
          turns <= lowest ? 0 : turns >= highest ? 1 : (turns - lowest) / (highest - lowest);
      factors[i] = (float) (1 / (unscaled + (1 - unscaled) / shape.ropeScaling()));
    }
    return factors;
  }

  private List<TensorDescription> tensors() {
    List<TensorDescription> tensors = new ArrayList<>();
    WeightMix mix =
        new WeightMix(
            fileType,
            shape.layers(),
            shape.heads() / shape.kvHeads(),
            shape.experts(),
            shape.tied(),
            false);
    int dim = shape.dim();
    int queries = shape.heads() * shape.headDim();
    int keys = shape.kvHeads() * shape.headDim();
    add(tensors, mix, "token_embd", shape.vocabulary(), dim);
    add(tensors, mix, "output_norm", dim);
    if (!shape.tied()) add(tensors, mix, "output", shape.vocabulary(), dim);
    if (shape.ropeScaling() != 1) add(tensors, mix, "rope_freqs", shape.headDim() / 2);
    for (int layer = 0; layer < shape.layers(); layer++) {
      String block = "blk." + layer + ".";
      add(tensors, mix, block + "attn_norm", dim);
      add(tensors, mix, block + "attn_q", queries, dim);
      add(tensors, mix, block + "attn_k", keys, dim);
      add(tensors, mix, block + "attn_v", keys, dim);
      add(tensors, mix, block + "attn_output", dim, queries);
      add(tensors, mix, block + "ffn_norm", dim);
      if (shape.experts() > 0) {
        addExperts(tensors, mix, block);
      } else {
        addFeedForward(tensors, mix, block, "", shape.feedForward());
      }
    }
    return tensors;
  }

  private void addExperts(List<TensorDescription> tensors, WeightMix mix, String block) {
    int dim = shape.dim();
    int inner = shape.expertFeedForward();
    add(tensors, mix, block + "ffn_gate_inp", shape.experts(), dim);
    add(tensors, mix, block + "ffn_gate_exps", shape.experts(), inner, dim);
    add(tensors, mix, block + "ffn_up_exps", shape.experts(), inner, dim);
    add(tensors, mix, block + "ffn_down_exps", shape.experts(), dim, inner);
    if (shape.hasSharedExpert()) addFeedForward(tensors, mix, block, "_shexp", inner);
  }

  private void addFeedForward(
      List<TensorDescription> tensors, WeightMix mix, String block, String suffix, int inner) {
    add(tensors, mix, block + "ffn_gate" + suffix, inner, shape.dim());
    add(tensors, mix, block + "ffn_up" + suffix, inner, shape.dim());
    add(tensors, mix, block + "ffn_down" + suffix, shape.dim(), inner);
  }

  private static void add(
      List<TensorDescription> tensors, WeightMix mix, String name, long... sizes) {
    Shape tensorShape = Shape.of(sizes);
    ElementType type = mix.type(name + ".weight", tensorShape);
    tensors.add(new TensorDescription(name + ".weight", type, tensorShape));
  }

  private SequencedMap<String, MetadataValue> metadata() {
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    String prefix = shape.architecture() + ".";
    metadata.put("general.architecture", Text.of(shape.architecture()));
    metadata.put("general.type", Text.of("model"));
    metadata.put("general.name", Text.of(shape.name() + " with random weights"));
    metadata.put("general.file_type", u32(fileType.id()));
    metadata.put("general.quantization_version", u32(2));
    metadata.put(prefix + "vocab_size", u32(shape.vocabulary()));
    metadata.put(prefix + "context_length", u32(shape.context()));
    metadata.put(prefix + "embedding_length", u32(shape.dim()));
    metadata.put(prefix + "block_count", u32(shape.layers()));
    metadata.put(prefix + "feed_forward_length", u32(shape.feedForward()));
    metadata.put(prefix + "rope.dimension_count", u32(shape.headDim()));
    metadata.put(prefix + "rope.freq_base", f32(shape.ropeTheta()));
    metadata.put(prefix + "attention.head_count", u32(shape.heads()));
    metadata.put(prefix + "attention.head_count_kv", u32(shape.kvHeads()));
    metadata.put(prefix + "attention.key_length", u32(shape.headDim()));
    metadata.put(prefix + "attention.value_length", u32(shape.headDim()));
    metadata.put(prefix + "attention.layer_norm_rms_epsilon", f32(NORM_EPSILON));
    if (shape.experts() > 0) {
      metadata.put(prefix + "expert_count", u32(shape.experts()));
      metadata.put(prefix + "expert_used_count", u32(shape.expertsUsed()));
    }
    if (shape.hasSharedExpert()) {
      metadata.put(prefix + "expert_feed_forward_length", u32(shape.expertFeedForward()));
      metadata.put(prefix + "interleave_moe_layer_step", u32(1));
    }
    SyntheticVocabulary vocabulary = SyntheticVocabulary.of(shape, seed);
    metadata.put("tokenizer.ggml.model", Text.of("gpt2"));
    metadata.put("tokenizer.ggml.pre", Text.of(shape.hasSharedExpert() ? "llama4" : "llama-bpe"));
    metadata.put("tokenizer.ggml.tokens", Sequence.ofStrings(vocabulary.tokens()));
    metadata.put("tokenizer.ggml.token_type", Sequence.ofInts(vocabulary.types()));
    metadata.put("tokenizer.ggml.merges", Sequence.ofStrings(vocabulary.merges()));
    metadata.put("tokenizer.ggml.bos_token_id", u32(vocabulary.bos()));
    metadata.put("tokenizer.ggml.eos_token_id", u32(vocabulary.eos()));
    metadata.put("tokenizer.ggml.eot_token_id", u32(vocabulary.eot()));
    metadata.put("tokenizer.ggml.add_bos_token", new Flag(true));
    return metadata;
  }

  private static Whole u32(long value) {
    return new Whole(MetadataType.UINT32, value);
  }

  private static Real f32(double value) {
    return new Real(MetadataType.FLOAT32, value);
  }
}
