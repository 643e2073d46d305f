package org.llamaj;

/** Why a generation ended. */
public enum FinishReason {
  /** The model ended its text or turn itself. */
  END,
  /** A stop string of the options came. */
  STOP_STRING,
  /** The token limit of the options was reached. */
  MAX_TOKENS,
  /** The context holds no further token. */
  CONTEXT_FULL,
  /** The time limit of the options has passed. */
  TIME_LIMIT,
  /** The caller cancelled. */
  CANCELLED
}
