package org.llamaj.grammar;

import org.llamaj.LlamaException;

/** A grammar, schema or regular expression that cannot be used; the message says where and why. */
public final class GrammarException extends LlamaException {
  private static final long serialVersionUID = 1L;

  private final boolean nothing;

  /**
   * @param message what was expected, what was found, and where
   */
  public GrammarException(String message) {
    this(message, false);
  }

  private GrammarException(String message, boolean nothing) {
    super(message);
    this.nothing = nothing;
  }

  /** Of a schema that no value fulfils; as one of several alternatives it can be left out. */
  static GrammarException nothing(String message) {
    return new GrammarException(message, true);
  }

  boolean isNothing() {
    return nothing;
  }

  /** A mistake at a place of a text, counted from 1. */
  static GrammarException at(String text, int offset, String message) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < offset; i++) {
      boolean end = text.charAt(i) == '\n';
      line += end ? 1 : 0;
      column = end ? 1 : column + 1;
    }
    return new GrammarException("line %d, column %d: %s".formatted(line, column, message));
  }
}
