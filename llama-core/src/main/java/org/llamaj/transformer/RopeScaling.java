package org.llamaj.transformer;

/** How a model stretches rotary positions beyond the context it was first trained on. */
public sealed interface RopeScaling {

  /** Positions as they are. Llama 3's own scaling comes as factors per frequency instead. */
  record None() implements RopeScaling {}

  /**
   * Position interpolation (Chen et al. 2023): all angles are divided by the factor.
   *
   * @param factor how many times longer the context became
   */
  record Linear(float factor) implements RopeScaling {}

  /**
   * YaRN (Peng et al. 2023): fast components keep their frequency, slow ones are interpolated,
   * those between are blended, and queries and keys grow by 0.1 ln(factor) + 1.
   *
   * @param factor how many times longer the context became
   * @param originalContext context length of the first training, in tokens
   * @param betaFast rotations over the original context above which a component is kept
   * @param betaSlow rotations below which a component is interpolated
   * @param attentionFactor further factor on queries and keys, usually 1
   */
  record Yarn(
      float factor, int originalContext, float betaFast, float betaSlow, float attentionFactor)
      implements RopeScaling {}
}
