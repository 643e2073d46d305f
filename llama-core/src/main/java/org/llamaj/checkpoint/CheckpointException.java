package org.llamaj.checkpoint;

import org.llamaj.LlamaException;

/**
 * A model file that cannot be read or is not what it claims to be. The message names the file, the
 * place in it, what was expected and what was found.
 */
public final class CheckpointException extends LlamaException {
  private static final long serialVersionUID = 1L;

  /**
   * A failure found by this library.
   *
   * @param message file, place, what was expected, what was found
   */
  public CheckpointException(String message) {
    super(message);
  }

  /**
   * A failure of the file system or the operating system.
   *
   * @param message file, place, what was expected, what was found
   * @param cause the failure below
   */
  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
