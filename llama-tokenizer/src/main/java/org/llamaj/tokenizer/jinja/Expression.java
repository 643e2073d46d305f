package org.llamaj.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/** What stands between the ends of a tag and has a value. */
sealed interface Expression {
  /** A value written in the template. */
  record Literal(Object value) implements Expression {}

  /** A variable. */
  record Name(String name) implements Expression {}

  /** {@code [a, b]}. */
  record ListOf(List<Expression> items) implements Expression {}

  /** {@code (a, b)}. */
  record TupleOf(List<Expression> items) implements Expression {}

  /** <code>{a: b}</code>. */
  record DictOf(List<Map.Entry<Expression, Expression>> entries) implements Expression {}

  /** {@code a.b}. */
  record Attribute(Expression target, String name) implements Expression {}

  /** {@code a[b]}. */
  record Item(Expression target, Expression key) implements Expression {}

  /** {@code a[b:c:d]}; absent parts are null. */
  record Slice(Expression target, Expression start, Expression stop, Expression step)
      implements Expression {}

  /** {@code a(b, c=d)}. */
  record Call(Expression target, CallArguments arguments) implements Expression {}

  /** {@code a | name(b)}. */
  record Filter(Expression target, String name, CallArguments arguments) implements Expression {}

  /** {@code a is name(b)}. */
  record Test(Expression target, String name, CallArguments arguments) implements Expression {}

  /** {@code -a}, {@code +a}. */
  record Sign(boolean negative, Expression operand) implements Expression {}

  /** {@code not a}. */
  record Not(Expression operand) implements Expression {}

  /** {@code a and b}, {@code a or b}. */
  record Logical(boolean and, Expression left, Expression right) implements Expression {}

  /** {@code a + b} and so on. */
  record Arithmetic(String operator, Expression left, Expression right) implements Expression {}

  /** {@code a ~ b ~ c}. */
  record Concatenation(List<Expression> operands) implements Expression {}

  /** {@code a < b <= c}; {@code in} and {@code not in} are such operators too. */
  record Comparison(Expression first, List<String> operators, List<Expression> others)
      implements Expression {}

  /** {@code a if b else c}; {@code otherwise} is null without {@code else}. */
  record Conditional(Expression condition, Expression value, Expression otherwise)
      implements Expression {}

  /**
   * The arguments of a call as written.
   *
   * @param positional those without a name
   * @param named those with a name
   * @param spreadList what a {@code *} stands before, or null
   * @param spreadMap what a {@code **} stands before, or null
   */
  record CallArguments(
      List<Expression> positional,
      Map<String, Expression> named,
      Expression spreadList,
      Expression spreadMap) {
    static final CallArguments NONE = new CallArguments(List.of(), Map.of(), null, null);
  }
}
