package org.llamaj.tokenizer.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What Python's built-in functions do to the values of a template. */
final class Values {
  private Values() {}

  /** {@code bool}. */
  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case Undefined undefined -> false;
      case Boolean b -> b;
      case String text -> !text.isEmpty();
      case BigInteger big -> big.signum() != 0;
      case Number number -> number.doubleValue() != 0;
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      default -> true;
    };
  }

  /** What Python calls the type of a value. */
  static String typeName(Object value) {
    return switch (value) {
      case null -> "None";
      case Undefined undefined -> "Undefined";
      case Boolean b -> "bool";
      case String text -> "str";
      case Double d -> "float";
      case Number number -> "int";
      case Tuple tuple -> "tuple";
      case List<?> list -> "list";
      case Map<?, ?> map -> "dict";
      case Namespace namespace -> "Namespace";
      case Callable callable -> "function";
      default -> "object";
    };
  }

  /** Whether a value can be looped over. */
  static boolean isIterable(Object value) {
    return value instanceof String
        || value instanceof List<?>
        || value instanceof Map<?, ?>
        || value instanceof Undefined;
  }

  /** What looping over a value gives: items, keys, or characters. */
  static List<Object> items(Object value) {
    return switch (value) {
      case Undefined undefined -> List.of();
      case String text -> {
        Budget.size(text.length(), Budget.MOST_ITEMS);
        List<Object> characters = new ArrayList<>(text.length());
        text.codePoints().forEach(c -> characters.add(Character.toString(c)));
        yield characters;
      }
      case List<?> list -> new ArrayList<>(list);
      case Map<?, ?> map -> new ArrayList<>(map.keySet());
      case null, default ->
          throw JinjaException.runtime(
              "TypeError: '%s' object is not iterable".formatted(typeName(value)));
    };
  }

  /** {@code len}. */
  static long length(Object value) {
    return switch (value) {
      case Undefined undefined -> 0;
      case String text -> text.codePointCount(0, text.length());
      case List<?> list -> list.size();
      case Map<?, ?> map -> map.size();
      case null, default ->
          throw JinjaException.runtime(
              "TypeError: object of type '%s' has no len()".formatted(typeName(value)));
    };
  }

  /** {@code ==}. */
  static boolean equal(Object left, Object right, Budget budget) {
    budget.step();
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.compare(left, right) == 0;
    }
    if (left instanceof Undefined && right instanceof Undefined) {
      return true;
    }
    if (left instanceof List<?> l && right instanceof List<?> r) {
      if (l.size() != r.size() || left instanceof Tuple != right instanceof Tuple) {
        return false;
      }
      for (int i = 0; i < l.size(); i++) {
        if (!equal(l.get(i), r.get(i), budget)) {
          return false;
        }
      }
      return true;
    }
    if (left instanceof Map<?, ?> l && right instanceof Map<?, ?> r) {
      if (l.size() != r.size()) {
        return false;
      }
      for (Map.Entry<?, ?> entry : l.entrySet()) {
        if (!r.containsKey(entry.getKey())
            || !equal(entry.getValue(), r.get(entry.getKey()), budget)) {
          return false;
        }
      }
      return true;
    }
    return left == null ? right == null : left.equals(right);
  }

  /** {@code <} and its like, for values that have an order. */
  static int compare(Object left, Object right, Budget budget) {
    budget.step();
    if (Numbers.isNumber(left) && Numbers.isNumber(right)) {
      return Numbers.compare(left, right);
    }
    if (left instanceof String l && right instanceof String r) {
      return compareCodePoints(l, r);
    }
    if (left instanceof List<?> l
        && right instanceof List<?> r
        && left instanceof Tuple == right instanceof Tuple) {
      for (int i = 0; i < Math.min(l.size(), r.size()); i++) {
        if (!equal(l.get(i), r.get(i), budget)) {
          return compare(l.get(i), r.get(i), budget);
        }
      }
      return Integer.compare(l.size(), r.size());
    }
    Undefined.require(left);
    Undefined.require(right);
    throw JinjaException.runtime(
        "TypeError: no order between '%s' and '%s'".formatted(typeName(left), typeName(right)));
  }

  /** {@code in}. */
  static boolean contains(Object container, Object item, Budget budget) {
    if (container instanceof String text) {
      if (item instanceof String part) {
        budget.work(text.length());
        return text.contains(part);
      }
      Undefined.require(item);
      throw JinjaException.runtime(
          "TypeError: 'in <string>' requires string, not " + typeName(item));
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(item);
    }
    for (Object other : items(container)) {
      if (equal(item, other, budget)) {
        return true;
      }
    }
    return false;
  }

  private static int compareCodePoints(String left, String right) {
    int[] l = left.codePoints().toArray();
    int[] r = right.codePoints().toArray();
    return Arrays.compare(l, r);
  }
}
