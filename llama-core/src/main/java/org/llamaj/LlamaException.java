package org.llamaj;

/**
 * The root of the failures this library reports. The message says what was expected, what was
 * found, where, and what to do.
 */
public class LlamaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what was expected, what was found, and what to do
   */
  public LlamaException(String message) {
    super(message);
  }

  /**
   * @param message what was expected, what was found, and what to do
   * @param cause the failure below
   */
  public LlamaException(String message, Throwable cause) {
    super(message, cause);
  }
}
