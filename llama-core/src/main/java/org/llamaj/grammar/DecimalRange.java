package org.llamaj.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Repeat;

/** Numbers between two limits, written without exponent. */
final class DecimalRange {
  private static final Expression DIGITS = Expression.any(JsonText.DIGIT);
  private static final Expression POINT = new Literal(".");

  private DecimalRange() {}

  /**
   * Numbers from one limit to another.
   *
   * @param min the smallest; null for none
   * @param max the largest; null for none
   * @param openMin whether the smallest itself is excluded
   * @param openMax whether the largest itself is excluded
   * @return null if there is none
   */
  static Expression of(BigDecimal min, BigDecimal max, boolean openMin, boolean openMax) {
    List<Expression> alternatives = new ArrayList<>();
    if (max == null || max.signum() >= 0) {
      Limit low = min == null || min.signum() < 0 ? Limit.ZERO : new Limit(min, openMin);
      add(alternatives, "", magnitude(low, max == null ? null : new Limit(max, openMax)));
    }
    if (min == null || min.signum() < 0) {
      Limit low = max == null || max.signum() >= 0 ? Limit.ZERO : new Limit(max.negate(), openMax);
      if (max != null && max.signum() == 0) {
        low = new Limit(BigDecimal.ZERO, openMax);
      }
      add(alternatives, "-", magnitude(low, min == null ? null : new Limit(min.negate(), openMin)));
    }
    return alternatives.isEmpty() ? null : Expression.choice(alternatives);
  }

  /**
   * A limit of 0 or more.
   *
   * @param value where
   * @param open whether the value itself is excluded
   */
  private record Limit(BigDecimal value, boolean open) {
    static final Limit ZERO = new Limit(BigDecimal.ZERO, false);

    BigInteger whole() {
      return value.setScale(0, RoundingMode.FLOOR).toBigInteger();
    }

    /** The digits after the point, without zeros at the end. */
    String fraction() {
      String plain = value.stripTrailingZeros().toPlainString();
      int point = plain.indexOf('.');
      return point < 0 ? "" : plain.substring(point + 1);
    }
  }

  private static void add(List<Expression> into, String sign, Expression magnitude) {
    if (magnitude != null) {
      into.add(Expression.sequence(Expression.literal(sign), magnitude));
    }
  }

  /** Numbers of 0 and above; null if there is none. */
  private static Expression magnitude(Limit low, Limit high) {
    if (high != null && low.value.compareTo(high.value) > 0) {
      return null;
    }
    BigInteger first = low.whole();
    BigInteger last = high == null ? null : high.whole();
    List<Expression> all = new ArrayList<>();
    if (first.equals(last)) {
      boolean itself = low.fraction().isEmpty() && !low.open;
      itself &= !(high.open && high.fraction().isEmpty());
      add(all, first, itself, between(low, high, 0, true));
    } else {
      add(all, first, low.fraction().isEmpty() && !low.open, atLeast(low, 0, true));
      Expression inner =
          IntegerRange.whole(
              first.add(BigInteger.ONE), last == null ? null : last.subtract(BigInteger.ONE));
      if (inner != null) {
        all.add(Expression.sequence(inner, Expression.optional(JsonText.FRACTION)));
      }
      if (last != null) {
        add(all, last, !(high.open && high.fraction().isEmpty()), atMost(high, 0, true));
      }
    }
    return all.isEmpty() ? null : Expression.choice(all);
  }

  /** A whole number alone if it may be, and with digits after the point. */
  private static void add(
      List<Expression> into, BigInteger whole, boolean itself, Expression fraction) {
    Literal digits = new Literal(whole.toString());
    if (itself) {
      into.add(digits);
    }
    if (fraction != null) {
      into.add(Expression.sequence(digits, POINT, fraction));
    }
  }

  /** Digits after the point from place {@code at} on, at least one of them if it is the first. */
  private static Expression atLeast(Limit low, int at, boolean isFirst) {
    String limit = low.fraction();
    if (at >= limit.length()) {
      if (low.open) {
        return Expression.sequence(
            Expression.any(new Literal("0")), JsonText.characters("123456789"), DIGITS);
      }
      return isFirst ? new Repeat(JsonText.DIGIT, 1, Repeat.UNLIMITED) : DIGITS;
    }
    char digit = limit.charAt(at);
    List<Expression> all = new ArrayList<>();
    all.add(Expression.sequence(literal(digit), atLeast(low, at + 1, false)));
    addDigits(all, (char) (digit + 1), '9');
    return Expression.choice(all);
  }

  /** The same for an upper limit; null if there are none. */
  private static Expression atMost(Limit high, int at, boolean isFirst) {
    String limit = high.fraction();
    if (at >= limit.length()) {
      return high.open ? null : new Repeat(new Literal("0"), isFirst ? 1 : 0, Repeat.UNLIMITED);
    }
    char digit = limit.charAt(at);
    List<Expression> all = new ArrayList<>();
    if (!isFirst) {
      all.add(Expression.EMPTY);
    }
    addDigits(all, '0', (char) (digit - 1));
    Expression same = atMost(high, at + 1, false);
    if (same != null) {
      all.add(Expression.sequence(literal(digit), same));
    }
    return all.isEmpty() ? null : Expression.choice(all);
  }

  /** The same for two limits that have been equal so far; null if there are none. */
  private static Expression between(Limit low, Limit high, int at, boolean isFirst) {
    String from = low.fraction();
    String to = high.fraction();
    if (at >= from.length() && at >= to.length()) {
      return low.open ? null : atMost(high, at, isFirst);
    }
    char first = at < from.length() ? from.charAt(at) : '0';
    char last = at < to.length() ? to.charAt(at) : '0';
    List<Expression> all = new ArrayList<>();
    if (!isFirst && at >= from.length() && !low.open) {
      all.add(Expression.EMPTY);
    }
    if (first == last) {
      Expression rest = between(low, high, at + 1, false);
      if (rest != null) {
        all.add(Expression.sequence(literal(first), rest));
      }
    } else {
      all.add(Expression.sequence(literal(first), atLeast(low, at + 1, false)));
      addDigits(all, (char) (first + 1), (char) (last - 1));
      Expression rest = atMost(high, at + 1, false);
      if (rest != null) {
        all.add(Expression.sequence(literal(last), rest));
      }
    }
    return all.isEmpty() ? null : Expression.choice(all);
  }

  private static void addDigits(List<Expression> into, char from, char to) {
    if (from <= to) {
      into.add(
          Expression.sequence(
              new Characters(CodePoints.of(new CodePoints.Range(from, to))), DIGITS));
    }
  }

  private static Literal literal(char digit) {
    return new Literal(String.valueOf(digit));
  }
}
