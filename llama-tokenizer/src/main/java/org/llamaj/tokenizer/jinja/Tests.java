package org.llamaj.tokenizer.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All tests by name. */
final class Tests {
  /** What a test asks of a value. */
  private interface Test {
    boolean holds(Object value, Arguments arguments, Budget budget);
  }

  private static final Map<String, Test> TESTS = new HashMap<>();

  static {
    add((value, arguments, budget) -> !(value instanceof Undefined), "defined");
    add((value, arguments, budget) -> value instanceof Undefined, "undefined");
    add((value, arguments, budget) -> value == null, "none");
    add((value, arguments, budget) -> value instanceof String, "string");
    add((value, arguments, budget) -> value instanceof Map<?, ?>, "mapping");
    add((value, arguments, budget) -> Values.isIterable(value), "iterable");
    add(
        (value, arguments, budget) ->
            value instanceof String || value instanceof List<?> || value instanceof Map<?, ?>,
        "sequence");
    add((value, arguments, budget) -> Numbers.isNumber(value), "number");
    add((value, arguments, budget) -> Numbers.isInteger(value), "integer");
    add((value, arguments, budget) -> value instanceof Double, "float");
    add((value, arguments, budget) -> value instanceof Boolean, "boolean");
    add((value, arguments, budget) -> Boolean.TRUE.equals(value), "true");
    add((value, arguments, budget) -> Boolean.FALSE.equals(value), "false");
    add((value, arguments, budget) -> value instanceof Callable, "callable");
    add((value, arguments, budget) -> remainder(value, 2L) == 0, "even");
    add((value, arguments, budget) -> remainder(value, 2L) != 0, "odd");
    add(
        (value, arguments, budget) -> remainder(value, arguments.require(0, "num")) == 0,
        "divisibleby");
    add(
        (value, arguments, budget) -> value instanceof String s && StringMethods.isLower(s),
        "lower");
    add(
        (value, arguments, budget) -> value instanceof String s && StringMethods.isUpper(s),
        "upper");
    add(
        (value, arguments, budget) -> Values.contains(arguments.require(0, "seq"), value, budget),
        "in");
    add((value, arguments, budget) -> isSame(value, arguments.require(0, "other")), "sameas");
    add(
        (value, arguments, budget) -> value instanceof String name && Filters.exists(name),
        "filter");
    add((value, arguments, budget) -> value instanceof String name && exists(name), "test");
    add((value, arguments, budget) -> false, "escaped");
    add(
        (value, arguments, budget) -> Values.equal(value, arguments.require(0, "other"), budget),
        "eq",
        "equalto",
        "==");
    add(
        (value, arguments, budget) -> !Values.equal(value, arguments.require(0, "other"), budget),
        "ne",
        "!=");
    add((value, arguments, budget) -> compare(value, arguments, budget) < 0, "lt", "lessthan", "<");
    add((value, arguments, budget) -> compare(value, arguments, budget) <= 0, "le", "<=");
    add(
        (value, arguments, budget) -> compare(value, arguments, budget) > 0,
        "gt",
        "greaterthan",
        ">");
    add((value, arguments, budget) -> compare(value, arguments, budget) >= 0, "ge", ">=");
  }

  private Tests() {}

  static boolean exists(String name) {
    return TESTS.containsKey(name);
  }

  static boolean apply(String name, Object value, Arguments arguments, Budget budget) {
    Test test = TESTS.get(name);
    if (test == null) {
      throw JinjaException.runtime("No test named '%s'.".formatted(name));
    }
    return test.holds(value, arguments, budget);
  }

  private static void add(Test test, String... names) {
    for (String name : names) {
      TESTS.put(name, test);
    }
  }

  private static double remainder(Object value, Object divisor) {
    return Numbers.real(Numbers.calculate("%", value, divisor));
  }

  private static int compare(Object value, Arguments arguments, Budget budget) {
    return Values.compare(value, arguments.require(0, "other"), budget);
  }

  private static boolean isSame(Object left, Object right) {
    return left == right
        || left instanceof Boolean && left.equals(right)
        || left instanceof String && left.equals(right)
        || Numbers.isInteger(left) && left.equals(right);
  }
}
