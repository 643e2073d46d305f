package org.llamaj.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Repeat;

/** Decimal numbers between two limits. */
final class IntegerRange {
  private IntegerRange() {}

  /**
   * Whole numbers.
   *
   * @param min the smallest; null for none
   * @param max the largest; null for none
   * @return null if there is none
   */
  static Expression whole(BigInteger min, BigInteger max) {
    if (min != null && max != null && min.compareTo(max) > 0) {
      return null;
    }
    List<Expression> alternatives = new ArrayList<>();
    if (max == null || max.signum() >= 0) {
      alternatives.add(magnitude(min == null ? BigInteger.ZERO : min.max(BigInteger.ZERO), max));
    }
    if (min == null || min.signum() < 0) {
      BigInteger least = max == null ? BigInteger.ONE : max.negate().max(BigInteger.ONE);
      alternatives.add(
          Expression.sequence(
              new Literal("-"), magnitude(least, min == null ? null : min.negate())));
    }
    return Expression.choice(alternatives);
  }

  /** The smallest whole number that a lower limit allows. */
  static BigInteger ceiling(BigDecimal limit, boolean open) {
    BigInteger whole = limit.setScale(0, RoundingMode.CEILING).toBigInteger();
    boolean itself = open && new BigDecimal(whole).compareTo(limit) == 0;
    return itself ? whole.add(BigInteger.ONE) : whole;
  }

  /** The largest whole number that an upper limit allows. */
  static BigInteger floor(BigDecimal limit, boolean open) {
    BigInteger whole = limit.setScale(0, RoundingMode.FLOOR).toBigInteger();
    boolean itself = open && new BigDecimal(whole).compareTo(limit) == 0;
    return itself ? whole.subtract(BigInteger.ONE) : whole;
  }

  /** Numbers of 0 and above, by their count of digits. */
  private static Expression magnitude(BigInteger min, BigInteger max) {
    List<Expression> alternatives = new ArrayList<>();
    String least = min.toString();
    int most = max == null ? least.length() : max.toString().length();
    for (int digits = least.length(); digits <= most; digits++) {
      boolean shortest = digits == least.length();
      String from = shortest ? least : "1" + "0".repeat(digits - 1);
      boolean longest = max != null && digits == most;
      String to = longest ? max.toString() : "9".repeat(digits);
      alternatives.add(between(from, to));
    }
    if (max == null) {
      alternatives.add(
          Expression.sequence(
              JsonText.characters("123456789"),
              new Repeat(JsonText.DIGIT, least.length(), Repeat.UNLIMITED)));
    }
    return Expression.choice(alternatives);
  }

  /** Digits from one number to another of the same length. */
  private static Expression between(String from, String to) {
    if (from.isEmpty()) {
      return Expression.EMPTY;
    }
    char first = from.charAt(0);
    char last = to.charAt(0);
    String fromRest = from.substring(1);
    String toRest = to.substring(1);
    if (first == last) {
      return Expression.sequence(Expression.literal("" + first), between(fromRest, toRest));
    }
    String zeros = "0".repeat(fromRest.length());
    String nines = "9".repeat(fromRest.length());
    List<Expression> alternatives = new ArrayList<>();
    boolean wholeFirst = fromRest.equals(zeros);
    boolean wholeLast = toRest.equals(nines);
    if (!wholeFirst) {
      alternatives.add(
          Expression.sequence(Expression.literal("" + first), between(fromRest, nines)));
    }
    char low = wholeFirst ? first : (char) (first + 1);
    char high = wholeLast ? last : (char) (last - 1);
    if (low <= high) {
      alternatives.add(
          Expression.sequence(
              new Expression.Characters(CodePoints.of(new CodePoints.Range(low, high))),
              new Repeat(JsonText.DIGIT, fromRest.length(), fromRest.length())));
    }
    if (!wholeLast) {
      alternatives.add(Expression.sequence(Expression.literal("" + last), between(zeros, toRest)));
    }
    return Expression.choice(alternatives);
  }
}
