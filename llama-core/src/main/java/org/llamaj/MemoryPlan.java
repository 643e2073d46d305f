package org.llamaj;

/**
 * The memory that a model will need, in bytes, known before it is loaded.
 *
 * @param weights the tensors of the file. They are mapped: what does not fit into memory is read
 *     again when it is needed, and a mixture of experts needs only a part of them for each token
 * @param cache keys and values of one conversation that fills the context
 * @param scratch activations, shared by all conversations
 */
public record MemoryPlan(long weights, long cache, long scratch) {

  /**
   * Everything together.
   *
   * @return weights, cache of one conversation, scratch
   */
  public long total() {
    return weights + cache + scratch;
  }
}
