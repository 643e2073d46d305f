package org.llamaj.tokenizer.chat;

/** Who says a message. */
public enum Role {
  /** Who deploys the model; sets the rules. */
  SYSTEM,
  /** The person who asks. */
  USER,
  /** The model. */
  ASSISTANT,
  /** A tool that the model called; Meta's formats write it {@code ipython}. */
  TOOL
}
