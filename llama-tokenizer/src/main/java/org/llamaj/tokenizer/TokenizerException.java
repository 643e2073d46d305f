package org.llamaj.tokenizer;

/**
 * A tokenizer file or a text that cannot be used. The message says what was expected, what was
 * found, where, and what to do.
 */
public class TokenizerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what was expected, what was found, and what to do
   */
  public TokenizerException(String message) {
    super(message);
  }

  /**
   * @param message what was expected, what was found, and what to do
   * @param cause the failure below
   */
  public TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
