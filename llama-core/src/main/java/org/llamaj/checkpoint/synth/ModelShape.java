package org.llamaj.checkpoint.synth;

/**
 * The sizes that make a model.
 *
 * @param name for {@code general.name}
 * @param architecture {@code llama} or {@code llama4}
 * @param dim width of the residual stream
 * @param layers transformer blocks
 * @param heads attention heads
 * @param kvHeads key-value heads
 * @param headDim width of a head
 * @param feedForward inner width of the (dense or shared) feed-forward network
 * @param vocabulary number of tokens
 * @param context longest sequence
 * @param ropeTheta base of the rotary frequencies
 * @param ropeScaling by how much Llama 3 and 4 stretch low rotary frequencies; 1 for not at all
 * @param tied whether the output matrix is the embedding matrix
 * @param experts experts per layer; 0 for a dense model
 * @param expertsUsed experts per token
 * @param expertFeedForward inner width of an expert
 */
public record ModelShape(
    String name,
    String architecture,
    int dim,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForward,
    int vocabulary,
    int context,
    double ropeTheta,
    double ropeScaling,
    boolean tied,
    int experts,
    int expertsUsed,
    int expertFeedForward) {

  /**
   * The same model with another number of layers: its first ones, if all else is the same.
   *
   * @param count at least 1
   * @return a changed copy
   */
  public ModelShape withLayers(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("layers: expected at least 1, found " + count);
    }
    return new ModelShape(
        name,
        architecture,
        dim,
        count,
        heads,
        kvHeads,
        headDim,
        feedForward,
        vocabulary,
        context,
        ropeTheta,
        ropeScaling,
        tied,
        experts,
        expertsUsed,
        expertFeedForward);
  }

  /** {@return whether every layer has a shared expert beside the routed ones} */
  boolean hasSharedExpert() {
    return architecture.equals("llama4");
  }
}
