package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;

/** The memory that a model will take beside its weights, known from its proportions alone. */
public final class Footprint {
  private final Configuration configuration;
  private final int batchSize;

  /**
   * @param configuration proportions of the model
   * @param batchSize the most tokens of a forward pass
   */
  public Footprint(Configuration configuration, int batchSize) {
    this.configuration = configuration;
    this.batchSize = batchSize;
  }

  /**
   * The key-value cache of one sequence. Layers with attention chunks keep only the last of them.
   *
   * @param tokens how long the sequence becomes
   * @param cacheType how keys and values are stored
   * @return the most bytes that it will take
   */
  public long cacheBytes(int tokens, CacheType cacheType) {
    AttentionShape[] layers = configuration.selfAttention(cacheType).toArray(AttentionShape[]::new);
    return new KeyValueCache(Footprint::allocateNothing, layers, 0).bytesFor(tokens, batchSize);
  }

  /**
   * Activations and logits, shared by all sequences; those of layers with experts come on top.
   *
   * @return bytes
   */
  public long activationBytes() {
    Configuration c = configuration;
    long dense =
        c.hasDenseLayers() ? SwiGluFeedForward.Scratch.bytes(batchSize, c.feedForwardDim()) : 0;
    long logits = (long) Float.BYTES * Transformer.LOGITS_ROWS * c.vocabularySize();
    return Workspace.bytes(batchSize, c) + dense + logits;
  }

  private static MemorySegment allocateNothing(long bytes) {
    throw new UnsupportedOperationException("a plan takes no memory");
  }
}
