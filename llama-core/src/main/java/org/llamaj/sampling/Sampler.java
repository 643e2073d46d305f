package org.llamaj.sampling;

/** Chooses the next token. Belongs to one generation; not thread-safe. */
public interface Sampler {

  /**
   * Chooses a token.
   *
   * @param logits one value per token id; may be changed
   * @return the id of the next token
   */
  int sample(float[] logits);

  /**
   * Takes note of a token of the text, given or generated, for penalties.
   *
   * @param token its id
   */
  void accept(int token);
}
