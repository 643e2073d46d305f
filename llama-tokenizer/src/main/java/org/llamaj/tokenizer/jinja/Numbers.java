package org.llamaj.tokenizer.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** Python's integers, of any size, and floats. */
final class Numbers {
  private static final int MOST_BITS = 1 << 14;

  private Numbers() {}

  /** Integers are {@link Long} where they fit, so that equal ones are equal objects. */
  static Object narrow(BigInteger value) {
    return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof BigInteger || value instanceof Integer;
  }

  /** Whether Python counts a value among the numbers; booleans are. */
  static boolean isNumber(Object value) {
    return isInteger(value) || value instanceof Double || value instanceof Boolean;
  }

  static BigInteger big(Object value) {
    return switch (value) {
      case Boolean b -> b ? BigInteger.ONE : BigInteger.ZERO;
      case BigInteger big -> big;
      case Number number -> BigInteger.valueOf(number.longValue());
      case null, default -> throw wrongType("an integer", value);
    };
  }

  static double real(Object value) {
    return switch (value) {
      case Boolean b -> b ? 1 : 0;
      case Number number -> number.doubleValue();
      case null, default -> throw wrongType("a number", value);
    };
  }

  /** An integer used as an index or count, held to the range of ints. */
  static int index(Object value) {
    if (!isInteger(value) && !(value instanceof Boolean)) {
      throw wrongType("an integer", value);
    }
    BigInteger big = big(value);
    return big.bitLength() < Integer.SIZE
        ? big.intValue()
        : big.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
  }

  static int compare(Object left, Object right) {
    if (left instanceof Double || right instanceof Double) {
      double l = real(left);
      double r = real(right);
      return l < r ? -1 : l > r ? 1 : 0;
    }
    return big(left).compareTo(big(right));
  }

  static Object negate(Object value) {
    return value instanceof Double d ? (Object) (-d) : narrow(big(value).negate());
  }

  /** {@code +value}: the number, where a boolean becomes one. */
  static Object plus(Object value) {
    return value instanceof Double ? value : narrow(big(value));
  }

  static Object calculate(String operator, Object left, Object right) {
    if (left instanceof Double || right instanceof Double || operator.equals("/")) {
      return real(operator, real(left), real(right));
    }
    BigInteger l = big(left);
    BigInteger r = big(right);
    return switch (operator) {
      case "+" -> narrow(l.add(r));
      case "-" -> narrow(l.subtract(r));
      case "*" -> narrow(bounded(l, r.bitLength()).multiply(r));
      case "//" -> narrow(floorDivide(l, r)[0]);
      case "%" -> narrow(floorDivide(l, r)[1]);
      case "**" -> power(l, r);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static Object real(String operator, double left, double right) {
    return switch (operator) {
      case "+" -> left + right;
      case "-" -> left - right;
      case "*" -> left * right;
      case "/" -> left / nonZero(right);
      case "//" -> Math.floor(left / nonZero(right));
      case "%" -> left - Math.floor(left / nonZero(right)) * right;
      case "**" -> Math.pow(left, right);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static Object power(BigInteger base, BigInteger exponent) {
    if (exponent.signum() < 0) {
      return Math.pow(base.doubleValue(), exponent.doubleValue());
    }
    if (exponent.bitLength() > 31 || (long) base.bitLength() * exponent.intValue() > MOST_BITS) {
      throw JinjaException.runtime("a number of too many digits");
    }
    return narrow(base.pow(exponent.intValue()));
  }

  private static BigInteger bounded(BigInteger value, int more) {
    if (value.bitLength() + more > MOST_BITS) {
      throw JinjaException.runtime("a number of too many digits");
    }
    return value;
  }

  /** Quotient and remainder, rounded towards negative infinity as Python does. */
  private static BigInteger[] floorDivide(BigInteger left, BigInteger right) {
    nonZero(right.signum());
    BigInteger[] result = left.divideAndRemainder(right);
    if (result[1].signum() != 0 && result[1].signum() != right.signum()) {
      result[0] = result[0].subtract(BigInteger.ONE);
      result[1] = result[1].add(right);
    }
    return result;
  }

  private static double nonZero(double divisor) {
    if (divisor == 0) {
      throw JinjaException.runtime("ZeroDivisionError: division by zero");
    }
    return divisor;
  }

  /** The {@code round} filter; ties go to the even neighbour of the exact value. */
  static Object round(Object value, int precision, String method) {
    double number = real(value);
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return number;
    }
    RoundingMode mode =
        switch (method) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw JinjaException.runtime("method must be common, ceil or floor");
        };
    int places = Math.clamp(precision, -400, 400);
    return new BigDecimal(number).setScale(places, mode).doubleValue();
  }

  /** The {@code int} filter. */
  static Object toInteger(Object value, Object otherwise, int base) {
    return switch (value) {
      case String text -> {
        String digits = text.strip().replace("_", "");
        try {
          yield narrow(new BigInteger(digits, base));
        } catch (NumberFormatException e) {
          Object real = toFloat(digits, null);
          yield real == null ? otherwise : toInteger(real, otherwise, base);
        }
      }
      case Double d ->
          d.isNaN() || d.isInfinite() ? otherwise : narrow(new BigDecimal(d).toBigInteger());
      case Boolean b -> b ? 1L : 0L;
      case Number n -> n;
      case null, default -> otherwise;
    };
  }

  /** The {@code float} filter. */
  static Object toFloat(Object value, Object otherwise) {
    if (value instanceof String text) {
      String stripped = text.strip();
      if (!stripped.matches("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?") || text.length() > 400) {
        return otherwise;
      }
      return Double.valueOf(stripped);
    }
    return isNumber(value) ? (Object) real(value) : otherwise;
  }

  private static JinjaException wrongType(String expected, Object value) {
    return value instanceof Undefined undefined
        ? undefined.failure()
        : JinjaException.runtime(
            "TypeError: expected %s, found %s".formatted(expected, Values.typeName(value)));
  }
}
