package org.llamaj;

/** More prompts wait for a model than it was loaded to queue: try again later, or elsewhere. */
public final class OverloadedException extends LlamaException {
  private static final long serialVersionUID = 1L;

  /**
   * @param limit how many prompts may wait
   */
  public OverloadedException(int limit) {
    super(
        "expected fewer than %d prompts to wait for the model, found as many: try again later, or load with a greater queueLimit"
            .formatted(limit));
  }
}
