package org.llamaj.kernel;

/** How a token's scores become weights of its experts. */
public enum ExpertRouting {
  /**
   * Mixtral (Jiang et al. 2024): the softmax over the scores of the chosen experts weights their
   * outputs.
   */
  SOFTMAX,
  /** Llama 4: the sigmoid of each chosen expert's score multiplies that expert's input. */
  SIGMOID_OF_INPUT
}
