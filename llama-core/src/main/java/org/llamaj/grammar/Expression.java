package org.llamaj.grammar;

import java.util.List;

/** What a rule of a grammar derives. */
sealed interface Expression {
  /** The empty text. */
  Expression EMPTY = new Sequence(List.of());

  /**
   * A text.
   *
   * @param text at least one character
   */
  record Literal(String text) implements Expression {}

  /**
   * One character of a set.
   *
   * @param set not empty
   */
  record Characters(CodePoints set) implements Expression {}

  /**
   * A control token, which stands for no text. Texts are never equal to it: its bytes begin with
   * one that no text has.
   *
   * @param token as it is written, {@code <|python_tag|>}
   */
  record Control(String token) implements Expression {
    /** Not part of UTF-8. */
    static final byte MARK = (byte) 0xff;

    /** The bytes that stand for the token in an automaton. */
    static byte[] bytes(byte[] token) {
      byte[] bytes = new byte[1 + token.length];
      bytes[0] = MARK;
      System.arraycopy(token, 0, bytes, 1, token.length);
      return bytes;
    }
  }

  /**
   * One after another.
   *
   * @param items in order; none for the empty text
   */
  record Sequence(List<Expression> items) implements Expression {
    /** Copies the list. */
    public Sequence {
      items = List.copyOf(items);
    }
  }

  /**
   * One of several.
   *
   * @param alternatives at least one
   */
  record Choice(List<Expression> alternatives) implements Expression {
    /** Copies the list. */
    public Choice {
      alternatives = List.copyOf(alternatives);
    }
  }

  /**
   * Several times the same.
   *
   * @param item what
   * @param min at least so often
   * @param max at most so often; {@link #UNLIMITED} for any number
   */
  record Repeat(Expression item, int min, int max) implements Expression {
    static final int UNLIMITED = -1;
  }

  /**
   * What a rule derives.
   *
   * @param rule its name
   */
  record Reference(String rule) implements Expression {}

  static Expression literal(String text) {
    return text.isEmpty() ? EMPTY : new Literal(text);
  }

  static Expression sequence(Expression... items) {
    return sequence(List.of(items));
  }

  static Expression sequence(List<Expression> items) {
    return items.size() == 1 ? items.getFirst() : new Sequence(items);
  }

  static Expression choice(Expression... alternatives) {
    return choice(List.of(alternatives));
  }

  static Expression choice(List<Expression> alternatives) {
    return alternatives.size() == 1 ? alternatives.getFirst() : new Choice(alternatives);
  }

  static Expression optional(Expression item) {
    return new Repeat(item, 0, 1);
  }

  static Expression any(Expression item) {
    return new Repeat(item, 0, Repeat.UNLIMITED);
  }
}
