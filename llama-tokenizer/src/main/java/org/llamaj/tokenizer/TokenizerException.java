package org.llamaj.tokenizer;

/**
 * Says that a tokenizer file, a text, a conversation or a chat template cannot be used: what was
 * expected, what was found, where, and what to do about it.
 */
public final class TokenizerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates the exception.
   *
   * @param message what was expected, what was found, and where
   */
  public TokenizerException(String message) {
    super(message);
  }

  /**
   * Creates the exception with the failure behind it.
   *
   * @param message what was expected, what was found, and where
   * @param cause the failure behind it
   */
  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
