package org.llamaj.hub;

import org.llamaj.LlamaException;

/** A model that cannot be had from the Hub. The message says what was asked for and what to do. */
public final class HubException extends LlamaException {
  private static final long serialVersionUID = 1L;

  /**
   * A failure found by this library.
   *
   * @param message what was asked for, what came, what to do
   */
  public HubException(String message) {
    super(message);
  }

  /**
   * A failure of the network or the file system.
   *
   * @param message what was asked for, what came, what to do
   * @param cause the failure below
   */
  public HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
