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
