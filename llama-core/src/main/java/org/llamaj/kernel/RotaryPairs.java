package org.llamaj.kernel;

/**
 * Which components of a head make a pair that rotary position embedding turns. Scores are the same
 * whichever it is, as long as queries and keys agree: weights come in both orders.
 */
public enum RotaryPairs {
  /** (0, 1), (2, 3), ...: Meta's order, and GGUF's. */
  INTERLEAVED,
  /** (0, n/2), (1, n/2 + 1), ...: the order of Hugging Face's checkpoints before Llama 4. */
  HALF_SPLIT
}
