package org.llamaj.sampling;

/**
 * One step of a sampling chain, for example {@link TopK}: an immutable description. Steps of your
 * own implement this interface; records do well, for a step without state may be its own stage.
 */
public interface SamplingStep {
  /**
   * Begins a generation.
   *
   * @param context what a step may need to know
   * @return the step's state in this generation
   * @throws org.llamaj.LlamaException if the step does not fit the model
   */
  Stage begin(SamplingContext context);

  /**
   * How many candidates stay if the step keeps the most probable ones, whatever their logits: it
   * and the steps after it then need to know no others.
   *
   * @return 0 if it looks at all candidates
   */
  default int keeps() {
    return 0;
  }

  /** A step at work in one generation; used by one thread. */
  interface Stage {
    /**
     * Removes candidates or changes their logits. At least one must stay.
     *
     * @param candidates tokens that are still possible
     */
    void apply(Candidates candidates);

    /**
     * Takes note of a token of the text: of the prompt, or the one that was chosen from the
     * candidates.
     *
     * @param token its id
     */
    default void accept(int token) {}
  }
}
