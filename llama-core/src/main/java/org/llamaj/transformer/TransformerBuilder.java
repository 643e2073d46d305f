package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.SplitKernels;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.spi.FeedForwards;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Binds a model's tensors, by their GGUF names, to the parts of a {@link Transformer}, and checks
 * their shapes against the configuration on the way.
 */
public final class TransformerBuilder {
  private final Configuration configuration;
  private final WeightSource weights;
  private final AdaptedKernels kernels;
  private final Arena arena;
  private final Workspace workspace;
  private final int maxRows;
  private long prefixBytes;
  private Runnable beforeEachPass = () -> {};

  /**
   * @param configuration proportions of the model
   * @param weights its tensors
   * @param kernels the arithmetic
   * @param arena owns the memory of activations; closed after the transformer
   * @param maxRows the most tokens a forward pass takes
   */
  public TransformerBuilder(
      Configuration configuration,
      WeightSource weights,
      Kernels kernels,
      Arena arena,
      int maxRows) {
    this.configuration = configuration;
    this.weights = weights;
    this.kernels = new AdaptedKernels(new SplitKernels(kernels, arena), arena);
    this.arena = arena;
    this.maxRows = maxRows;
    workspace = Workspace.allocate(arena, maxRows, configuration);
    workspace.keepOn(kernels);
  }

  /**
   * Keeps keys and values of texts that have ended, to be found again by those that begin alike.
   *
   * @param bytes the most memory for them; 0 for none, as without it
   * @return this
   */
  public TransformerBuilder keepPrefixes(long bytes) {
    prefixBytes = bytes;
    return this;
  }

  /**
   * Lets somebody look before each forward pass whether weights are still there.
   *
   * @param check throws if they are not, and the pass fails so; cheap
   * @return this
   */
  public TransformerBuilder beforeEachPass(Runnable check) {
    beforeEachPass = check;
    return this;
  }

  /**
   * Builds the transformer.
   *
   * @param contextLength tokens a sequence may hold
   * @param cacheType how keys and values are stored
   * @param cacheMemory where keys and values are stored; closed after the transformer
   * @param experts makes the feed-forward networks of layers with experts; empty for a dense model,
   *     or if no module can
   * @param onLayer told the index of each layer as it is bound
   * @return the transformer
   * @throws LlamaException if a tensor is missing or does not fit the configuration
   */
  public Transformer build(
      int contextLength,
      CacheType cacheType,
      PageMemory cacheMemory,
      Optional<FeedForwards> experts,
      IntConsumer onLayer) {
    Configuration c = configuration;
    if (c.headDim() % cacheType.blockSize() != 0) {
      throw new LlamaException(
          "a cache of %s needs heads of a multiple of %d values, those of the model have %d: choose F16"
              .formatted(cacheType, cacheType.blockSize(), c.headDim()));
    }
    WeightMatrix embedding = matrix("token_embd.weight", c.embeddingRows(), c.dim());
    WeightMatrix output =
        optionalMatrix("output.weight", c.vocabularySize(), c.dim()).orElse(embedding);
    Transformer.Head head =
        new Transformer.Head(embedding, vector("output_norm.weight", c.dim()), output);

    float[] ropeFactors =
        weights
            .optional("rope_freqs.weight", c.rope().dimensions() / 2)
            .map(TransformerBuilder::floats)
            .orElse(null);
    RotaryEmbedding rotary = new RotaryEmbedding(c.rope(), ropeFactors);

    IntFunction<FeedForward> feedForwards = feedForwards(experts);
    List<AttentionShape> shapes = c.selfAttention(cacheType);
    List<AttentionShape> ofStates = c.stateAttention(cacheType);
    Iterator<AttentionShape> nextShape = shapes.iterator();
    Iterator<AttentionShape> nextOfStates = ofStates.iterator();
    Layer[] layers = new Layer[c.layers()];
    for (int layer = 0; layer < layers.length; layer++) {
      FeedForward feedForward = feedForwards.apply(layer);
      layers[layer] =
          c.crossAttention().layers().contains(layer)
              ? crossAttentionLayer(layer, nextOfStates.next(), feedForward)
              : layer(layer, nextShape.next(), feedForward);
      onLayer.accept(layer);
    }
    Optional<KeyValueCache> stateCache =
        ofStates.isEmpty() ? Optional.empty() : Optional.of(cache(cacheMemory, ofStates, 0));
    return new Transformer(
        c,
        contextLength,
        arena,
        kernels,
        rotary,
        cache(cacheMemory, shapes, prefixBytes),
        stateCache,
        workspace,
        layers,
        head,
        beforeEachPass);
  }

  private static KeyValueCache cache(
      PageMemory memory, List<AttentionShape> shapes, long prefixBytes) {
    return new KeyValueCache(memory, shapes.toArray(AttentionShape[]::new), prefixBytes);
  }

  private CrossAttentionLayer crossAttentionLayer(
      int layer, AttentionShape shape, FeedForward feedForward) {
    Configuration c = configuration;
    int queryDim = c.heads() * c.headDim();
    int kvDim = c.kvHeads() * c.headDim();
    String block = block(layer);
    String cross = block + "cross_attn_";
    return new CrossAttentionLayer(
        kernels,
        shape,
        workspace,
        c.normEps(),
        new CrossAttentionLayer.Weights(
            matrix(cross + "q_proj.weight", queryDim, c.dim()),
            matrix(cross + "k_proj.weight", kvDim, c.dim()),
            matrix(cross + "v_proj.weight", kvDim, c.dim()),
            matrix(cross + "o_proj.weight", c.dim(), queryDim),
            vector(cross + "q_norm.weight", c.headDim()),
            vector(cross + "k_norm.weight", c.headDim()),
            vector(block + "attn_norm.weight", c.dim()),
            vector(block + "ffn_norm.weight", c.dim()),
            gate(cross + "attn_gate"),
            gate(cross + "mlp_gate")),
        feedForward,
        layer == c.layers() - 1);
  }

  private float gate(String name) {
    return (float) Math.tanh(floats(weights.require(name, 1))[0]);
  }

  private DecoderLayer layer(int layer, AttentionShape shape, FeedForward feedForward) {
    Configuration c = configuration;
    String block = block(layer);
    return new DecoderLayer(
        kernels,
        workspace,
        c.normEps(),
        vector(block + "attn_norm.weight", c.dim()),
        new Attention(
            kernels,
            shape,
            positions(layer),
            c.rope().pairs(),
            c.normEps(),
            workspace,
            attentionWeights(block)),
        vector(block + "ffn_norm.weight", c.dim()),
        feedForward,
        layer == c.layers() - 1);
  }

  private Attention.Positions positions(int layer) {
    InterleavedAttention interleaved = configuration.interleaved();
    if (interleaved.isGlobal(layer)) {
      return Attention.Positions.NONE;
    }
    return interleaved.queryKeyNorm()
        ? Attention.Positions.ROTARY_NORMALISED
        : Attention.Positions.ROTARY;
  }

  private Attention.Weights attentionWeights(String block) {
    Configuration c = configuration;
    int queryDim = c.heads() * c.headDim();
    int kvDim = c.kvHeads() * c.headDim();
    return new Attention.Weights(
        matrix(block + "attn_q.weight", queryDim, c.dim()),
        matrix(block + "attn_k.weight", kvDim, c.dim()),
        matrix(block + "attn_v.weight", kvDim, c.dim()),
        matrix(block + "attn_output.weight", c.dim(), queryDim),
        bias(block + "attn_q.bias", queryDim),
        bias(block + "attn_k.bias", kvDim),
        bias(block + "attn_v.bias", kvDim),
        bias(block + "attn_output.bias", c.dim()));
  }

  /** By layer: dense, or with experts where the configuration says so. */
  private IntFunction<FeedForward> feedForwards(Optional<FeedForwards> experts) {
    Configuration c = configuration;
    SwiGluFeedForward.Scratch scratch =
        c.hasDenseLayers()
            ? SwiGluFeedForward.Scratch.allocate(arena, maxRows, c.feedForwardDim())
            : null;
    if (scratch != null) {
      scratch.keepOn(kernels);
    }
    if (c.experts().count() == 0) {
      return layer -> denseFeedForward(layer, scratch);
    }
    FeedForwards mixtures = experts.orElseThrow(() -> noExperts(c));
    return layer ->
        c.experts().in(layer) ? mixtures.layer(layer) : denseFeedForward(layer, scratch);
  }

  private FeedForward denseFeedForward(int layer, SwiGluFeedForward.Scratch scratch) {
    Configuration c = configuration;
    String block = block(layer);
    return new SwiGluFeedForward(
        kernels,
        new SwiGluFeedForward.Weights(
            matrix(block + "ffn_gate.weight", c.feedForwardDim(), c.dim()),
            matrix(block + "ffn_up.weight", c.feedForwardDim(), c.dim()),
            matrix(block + "ffn_down.weight", c.dim(), c.feedForwardDim())),
        scratch,
        workspace.projected());
  }

  private static String block(int layer) {
    return "blk." + layer + ".";
  }

  private WeightMatrix matrix(String name, int outputs, int inputs) {
    return split(name, outputs, inputs)
        .orElseGet(() -> kernels.weightMatrix(weights.require(name, outputs, inputs)));
  }

  private Optional<WeightMatrix> optionalMatrix(String name, int outputs, int inputs) {
    return split(name, outputs, inputs)
        .or(() -> weights.optional(name, outputs, inputs).map(kernels::weightMatrix));
  }

  private Optional<WeightMatrix> split(String name, int outputs, int inputs) {
    return weights.split(name, outputs, inputs).map(kernels::weightMatrix);
  }

  private MemorySegment vector(String name, int length) {
    return floatMemory(weights.require(name, length));
  }

  private MemorySegment bias(String name, int length) {
    return weights.optional(name, length).map(this::floatMemory).orElse(null);
  }

  /** The values as float32 outside the heap, in place where they are that already. */
  private MemorySegment floatMemory(Tensor tensor) {
    return tensor.type() == ElementType.F32 && tensor.data().isNative()
        ? tensor.data()
        : arena.allocateFrom(ValueLayout.JAVA_FLOAT, floats(tensor));
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.columns())];
    Dequantizer.dequantizeRow(tensor, 0, values, 0);
    return values;
  }

  private static LlamaException noExperts(Configuration c) {
    return new LlamaException(
        "the model has %d experts per layer, and no module on the path runs them: add the dependency org.llamaj:llama-moe"
            .formatted(c.experts().count()));
  }
}
