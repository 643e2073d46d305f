package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;

/** Arrays of a schema: their items, how many, one that has to be there, none twice. */
final class SchemaArrays {
  /** Sets of values that may have come already. */
  private static final int MOST_SETS = 2000;

  /** Numbers of items, times numbers of those that are wanted. */
  private static final int MOST_COUNTED = 300;

  private final SchemaCompiler compiler;

  SchemaArrays(SchemaCompiler compiler) {
    this.compiler = compiler;
  }

  Expression array(Map<String, Object> schema, String path) {
    if (schema.get("items") instanceof List<?> tuple) { // before draft 2020-12
      Map<String, Object> renamed =
          SchemaCompiler.without(SchemaCompiler.without(schema, "items"), "additionalItems");
      renamed.put("prefixItems", tuple);
      renamed.put("items", schema.getOrDefault("additionalItems", false));
      return array(renamed, path);
    }
    boolean contains = schema.containsKey("contains");
    boolean unique = Boolean.TRUE.equals(schema.get("uniqueItems"));
    if (!contains && !unique) {
      return plain(schema, path);
    }
    if (contains && unique || schema.containsKey("prefixItems")) {
      throw new GrammarException(
          path + ": expected contains, uniqueItems or prefixItems, found several of them");
    }
    return contains ? containing(schema, path) : unique(schema, path);
  }

  private Expression plain(Map<String, Object> schema, String path) {
    List<Expression> first = new ArrayList<>();
    if (schema.get("prefixItems") instanceof List<?> prefix) {
      for (int i = 0; i < prefix.size(); i++) {
        first.add(compiler.value(prefix.get(i), path + "/prefixItems/" + i));
      }
    }
    int min = SchemaCompiler.count(schema, "minItems", 0, path) - first.size();
    int max = SchemaCompiler.count(schema, "maxItems", Repeat.UNLIMITED, path);
    Object items = schema.get("items");
    boolean closed = Boolean.FALSE.equals(items) || items == null && !first.isEmpty();
    if (max != Repeat.UNLIMITED) {
      max -= first.size();
    }
    if (max < Repeat.UNLIMITED || closed && min > 0 || max != Repeat.UNLIMITED && min > max) {
      throw disagreeing(path);
    }
    if (closed || max == 0) {
      return JsonText.bracketed("[", first, "]");
    }
    Expression item = items == null ? compiler.anyValue() : compiler.value(items, path + "/items");
    Expression more = Expression.sequence(JsonText.COMMA, item);
    if (first.isEmpty()) {
      return Expression.sequence(
          new Literal("["), SchemaCompiler.listOf(item, min, max), new Literal("]"));
    }
    return Expression.sequence(
        JsonText.bracketed("[", first, ""),
        new Repeat(more, Math.max(0, min), max),
        new Literal("]"));
  }

  /** How many items have come, and how many of them were wanted, is the state. */
  private Expression containing(Map<String, Object> schema, String path) {
    int least = SchemaCompiler.count(schema, "minContains", 1, path);
    int most = SchemaCompiler.count(schema, "maxContains", Repeat.UNLIMITED, path);
    if (least == 0 && most == Repeat.UNLIMITED) {
      return plain(schema, path);
    }
    int min = SchemaCompiler.count(schema, "minItems", 0, path);
    int max = SchemaCompiler.count(schema, "maxItems", Repeat.UNLIMITED, path);
    if (max != Repeat.UNLIMITED && Math.max(min, least) > max
        || most != Repeat.UNLIMITED && least > most) {
      throw disagreeing(path);
    }
    // From here on, more items or more wanted ones make no difference.
    int items = max == Repeat.UNLIMITED ? Math.max(1, min) : max;
    int wanted = most == Repeat.UNLIMITED ? least : most;
    if ((items + 1L) * (wanted + 1L) > MOST_COUNTED) {
      throw new GrammarException(
          "%s: expected at most %d states beside contains, found %d numbers of items and %d of"
                  .formatted(path, MOST_COUNTED, items + 1, wanted + 1)
              + " those that are wanted: allow fewer");
    }
    Object item = schema.getOrDefault("items", true);
    Object contains = schema.get("contains");
    Object others = most == Repeat.UNLIMITED ? true : Map.of("not", contains);
    Expression found = both(item, contains, path + "/contains");
    Expression other = both(item, others, path + "/contains");
    Expression[][] states = new Expression[items + 1][wanted + 1];
    for (int n = items; n >= 0; n--) {
      int to = Math.min(n + 1, items);
      boolean full = n == max;
      boolean again = to == n && !full;
      for (int k = again ? wanted : Math.min(n, wanted); k >= 0; k--) {
        List<Expression> ways = new ArrayList<>();
        if (n >= min && k >= least) {
          ways.add(Expression.EMPTY);
        }
        if (!full && k < wanted) {
          add(ways, n, found, states[to][k + 1]);
        }
        if (!full && !again) {
          add(ways, n, other, states[to][k]);
        }
        if (!ways.isEmpty()) {
          Expression rest = Expression.choice(ways);
          if (again && other != null) {
            Expression more = Expression.any(Expression.sequence(JsonText.COMMA, other));
            rest = Expression.sequence(more, rest);
          }
          states[n][k] = compiler.rule("%s (%d of %d)".formatted(path, k, n), rest);
        }
      }
    }
    if (states[0][0] == null) {
      throw disagreeing(path);
    }
    return Expression.sequence(new Literal("["), states[0][0], new Literal("]"));
  }

  /** An item after some others, and what comes after it; both may be impossible. */
  private static void add(List<Expression> ways, int before, Expression item, Expression rest) {
    if (item != null && rest != null) {
      Expression comma = before == 0 ? Expression.EMPTY : JsonText.COMMA;
      ways.add(Expression.sequence(comma, item, rest));
    }
  }

  /** What two schemas let be written; null if nothing. */
  private Expression both(Object one, Object other, String path) {
    return compiler.ifAny(compiler::value, Map.of("allOf", List.of(one, other)), path);
  }

  /** Values that are listed: which of them have come is the state. */
  private Expression unique(Map<String, Object> schema, String path) {
    int min = SchemaCompiler.count(schema, "minItems", 0, path);
    int max = SchemaCompiler.count(schema, "maxItems", Repeat.UNLIMITED, path);
    if (max == 0 || max == 1) {
      return plain(schema, path);
    }
    List<Object> values = new ArrayList<>();
    for (Object value : compiler.valuesOf(schema.getOrDefault("items", true), path + "/items")) {
      if (values.stream().noneMatch(other -> Conditions.equal(other, value))) {
        values.add(value);
      }
    }
    int most = max == Repeat.UNLIMITED ? values.size() : Math.min(max, values.size());
    if (min > most) {
      throw disagreeing(path);
    }
    if (sets(values.size(), most) > MOST_SETS) {
      throw new GrammarException(
          "%s: expected at most %d sets of items beside uniqueItems, found %d values: allow fewer"
                  .formatted(path, MOST_SETS, values.size())
              + " values, or limit maxItems");
    }
    return Expression.sequence(
        new Literal("["), after(0, values, min, most, path), new Literal("]"));
  }

  private static long sets(int values, int most) {
    long all = 0;
    long ofSize = 1;
    for (int size = 0; size <= most && all <= MOST_SETS; size++) {
      all += ofSize;
      ofSize = ofSize * (values - size) / (size + 1);
    }
    return all;
  }

  /** What may come after the values whose bits are set. */
  private Reference after(long set, List<Object> values, int min, int most, String path) {
    String name = path + " (after set " + Long.toHexString(set) + ")";
    if (compiler.hasRule(name)) {
      return compiler.rule(name);
    }
    int size = Long.bitCount(set);
    List<Expression> alternatives = new ArrayList<>();
    if (size >= min) {
      alternatives.add(Expression.EMPTY);
    }
    for (int i = 0; i < values.size() && size < most; i++) {
      if ((set >> i & 1) == 0) {
        alternatives.add(
            Expression.sequence(
                size == 0 ? Expression.EMPTY : JsonText.COMMA,
                compiler.literal(values.get(i)),
                after(set | 1L << i, values, min, most, path)));
      }
    }
    return compiler.rule(name, Expression.choice(alternatives));
  }

  private static GrammarException disagreeing(String path) {
    return GrammarException.nothing(
        path + ": expected minItems, maxItems and prefixItems that agree, found that they do not");
  }
}
