package org.llamaj.tokenizer.chat;

/** Follows brackets and strings through a text, character by character. */
final class Brackets {
  private final boolean singleQuotes;
  private int depth;
  private char quote;
  private boolean escaped;
  private boolean opened;

  /**
   * Starts before the first character.
   *
   * @param singleQuotes whether single quotes enclose strings too
   */
  Brackets(boolean singleQuotes) {
    this.singleQuotes = singleQuotes;
  }

  /** Takes the next character. */
  void accept(char c) {
    if (quote != 0) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == quote) {
        quote = 0;
      }
      return;
    }
    switch (c) {
      case '"' -> quote = c;
      case '\'' -> quote = singleQuotes ? c : 0;
      case '(', '[', '{' -> {
        depth++;
        opened = true;
      }
      case ')', ']', '}' -> depth--;
      default -> {}
    }
  }

  /** How many brackets are open. */
  int depth() {
    return depth;
  }

  /** Whether all brackets that were opened are closed. */
  boolean isClosed() {
    return opened && depth <= 0 && quote == 0;
  }
}
