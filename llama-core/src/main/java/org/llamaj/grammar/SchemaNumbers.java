package org.llamaj.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;

/** Numbers of a schema: limits, multiples, values that are left out. */
final class SchemaNumbers {
  private static final int MOST_REMAINDERS = 1000;

  private final Map<String, Expression> rules;
  private final String prefix;

  /**
   * @param rules receives the rules
   * @param prefix of the names of rules
   */
  SchemaNumbers(Map<String, Expression> rules, String prefix) {
    this.rules = rules;
    this.prefix = prefix;
  }

  Expression integer(Map<String, Object> schema, String path) {
    Limits limits = Limits.of(schema, path);
    List<BigDecimal> excluded = excluded(schema);
    BigDecimal step = decimal(schema, "multipleOf", path);
    if (step != null) {
      requireAlone(limits, excluded, path);
      return multiples(step, path);
    }
    if (limits.none() && excluded.isEmpty()) {
      return JsonText.INTEGER;
    }
    List<Expression> ranges = new ArrayList<>();
    for (Limits range : limits.without(excluded)) {
      Expression whole =
          IntegerRange.whole(
              range.min() == null ? null : IntegerRange.ceiling(range.min(), range.openMin()),
              range.max() == null ? null : IntegerRange.floor(range.max(), range.openMax()));
      if (whole != null) {
        ranges.add(whole);
      }
    }
    return found(ranges, path);
  }

  Expression number(Map<String, Object> schema, String path) {
    Limits limits = Limits.of(schema, path);
    List<BigDecimal> excluded = excluded(schema);
    BigDecimal step = decimal(schema, "multipleOf", path);
    if (step != null) {
      requireAlone(limits, excluded, path);
      BigDecimal plain = step.stripTrailingZeros();
      return plain.scale() > 0 && plain.unscaledValue().equals(BigInteger.ONE)
          ? Expression.sequence(JsonText.INTEGER, Expression.optional(decimals(plain.scale())))
          : multiples(step, path);
    }
    if (limits.none() && excluded.isEmpty()) {
      return rule("number", JsonText.NUMBER);
    }
    List<Expression> ranges = new ArrayList<>();
    for (Limits range : limits.without(excluded)) {
      Expression decimal =
          DecimalRange.of(range.min(), range.max(), range.openMin(), range.openMax());
      if (decimal != null) {
        ranges.add(decimal);
      }
    }
    return found(ranges, path);
  }

  private static List<BigDecimal> excluded(Map<String, Object> schema) {
    return SchemaCompiler.excluded(schema).stream()
        .filter(Number.class::isInstance)
        .map(value -> new BigDecimal(value.toString()).stripTrailingZeros())
        .distinct()
        .sorted()
        .toList();
  }

  private Reference rule(String name, Expression expression) {
    rules.put(prefix + name, expression);
    return new Reference(prefix + name);
  }

  private static void requireAlone(Limits limits, List<BigDecimal> excluded, String path) {
    if (!limits.none() || !excluded.isEmpty()) {
      throw new GrammarException(path + ": expected multipleOf or limits of a number, found both");
    }
  }

  private static Expression decimals(int most) {
    return Expression.sequence(new Literal("."), new Repeat(JsonText.DIGIT, 1, most));
  }

  /** Multiples of a small whole number: the remainder of the digits so far is the state. */
  private Expression multiples(BigDecimal step, String path) {
    if (step.signum() <= 0
        || step.stripTrailingZeros().scale() > 0
        || step.compareTo(BigDecimal.valueOf(MOST_REMAINDERS)) > 0) {
      throw new GrammarException(
          "%s/multipleOf: expected a whole number from 1 to %d, or of numbers 0.1, 0.01 and so on, found %s"
              .formatted(path, MOST_REMAINDERS, step));
    }
    int divisor = step.intValueExact();
    String name = "multiples of " + divisor;
    if (!rules.containsKey(prefix + name)) {
      for (int remainder = 0; remainder < divisor; remainder++) {
        List<Expression> alternatives = new ArrayList<>();
        if (remainder == 0) {
          alternatives.add(Expression.EMPTY);
        }
        alternatives.addAll(digits(name, remainder, divisor, 0));
        rule(name + " after " + remainder, Expression.choice(alternatives));
      }
      Expression positive = Expression.choice(digits(name, 0, divisor, 1));
      rule(
          name,
          Expression.choice(
              new Literal("0"),
              Expression.sequence(Expression.optional(new Literal("-")), positive)));
    }
    return new Reference(prefix + name);
  }

  private List<Expression> digits(String name, int remainder, int divisor, int first) {
    List<Expression> digits = new ArrayList<>();
    for (int digit = first; digit <= 9; digit++) {
      int next = (10 * remainder + digit) % divisor;
      digits.add(
          Expression.sequence(
              new Literal(String.valueOf(digit)), new Reference(prefix + name + " after " + next)));
    }
    return digits;
  }

  private static Expression found(List<Expression> ranges, String path) {
    if (ranges.isEmpty()) {
      throw GrammarException.nothing(
          path + ": expected limits with numbers between them, found none");
    }
    return Expression.choice(ranges);
  }

  /** The limits of a number; null where there is none. */
  private record Limits(BigDecimal min, boolean openMin, BigDecimal max, boolean openMax) {
    /** OpenAPI's formats of whole numbers. */
    private static final Map<String, Integer> BITS = Map.of("int32", 32, "int64", 64);

    static Limits of(Map<String, Object> schema, String path) {
      BigDecimal min = decimal(schema, "minimum", path);
      BigDecimal above = decimal(schema, "exclusiveMinimum", path);
      BigDecimal max = decimal(schema, "maximum", path);
      BigDecimal below = decimal(schema, "exclusiveMaximum", path);
      if (schema.get("format") instanceof String format && BITS.containsKey(format)) {
        BigDecimal size = new BigDecimal(BigInteger.TWO.pow(BITS.get(format) - 1));
        min = min == null ? size.negate() : min.max(size.negate());
        max = max == null ? size.subtract(BigDecimal.ONE) : max.min(size.subtract(BigDecimal.ONE));
      }
      boolean openMin = above != null && (min == null || above.compareTo(min) >= 0);
      boolean openMax = below != null && (max == null || below.compareTo(max) <= 0);
      return new Limits(openMin ? above : min, openMin, openMax ? below : max, openMax);
    }

    /** The ranges between values that are left out, in ascending order. */
    List<Limits> without(List<BigDecimal> excluded) {
      List<Limits> ranges = new ArrayList<>();
      Limits rest = this;
      for (BigDecimal value : excluded) {
        if ((min == null || value.compareTo(min) >= 0)
            && (max == null || value.compareTo(max) <= 0)) {
          ranges.add(new Limits(rest.min, rest.openMin, value, true));
          rest = new Limits(value, true, rest.max, rest.openMax);
        }
      }
      ranges.add(rest);
      return ranges;
    }

    boolean none() {
      return min == null && max == null;
    }
  }

  private static BigDecimal decimal(Map<String, Object> schema, String keyword, String path) {
    return switch (schema.get(keyword)) {
      case null -> null;
      case Number number -> new BigDecimal(number.toString());
      case Object other ->
          throw new GrammarException(
              "%s/%s: expected a number, found %s".formatted(path, keyword, other));
    };
  }
}
