package org.llamaj.tokenizer.chat;

import org.llamaj.tokenizer.TokenizerException;

/** Who says a message. */
public enum Role {
  /** Who deploys the model; sets the rules. */
  SYSTEM,
  /** The person who asks. */
  USER,
  /** The model. */
  ASSISTANT,
  /** A tool that the model called; Meta's formats write it {@code ipython}. */
  TOOL;

  /**
   * The role of a name: {@code system}, {@code user}, {@code assistant}, {@code tool} or {@code
   * ipython}.
   *
   * @param name the name, in lower case
   * @return the role
   * @throws TokenizerException if there is no such role
   */
  public static Role of(String name) {
    return switch (name) {
      case "system" -> SYSTEM;
      case "user" -> USER;
      case "assistant" -> ASSISTANT;
      case "tool", "ipython" -> TOOL;
      default ->
          throw new TokenizerException(
              "Unknown role '%s': expected system, user, assistant, tool or ipython"
                  .formatted(name));
    };
  }
}
