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

  private static final int MOST_COUNTED = 100;

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

  /** Any items, one that is wanted, and any others. */
  private Expression containing(Map<String, Object> schema, String path) {
    int least = SchemaCompiler.count(schema, "minContains", 1, path);
    if (least > 1 || schema.containsKey("maxContains")) {
      throw new GrammarException(
          path
              + ": expected contains with minContains of 1 or 0 and without maxContains, found"
              + " others");
    }
    if (least == 0) {
      return plain(schema, path);
    }
    int min = SchemaCompiler.count(schema, "minItems", 0, path);
    int max = SchemaCompiler.count(schema, "maxItems", Repeat.UNLIMITED, path);
    if (max == 0 || max != Repeat.UNLIMITED && min > max) {
      throw disagreeing(path);
    }
    if (Math.max(min, max) > MOST_COUNTED) {
      throw new GrammarException(
          "%s: expected minItems and maxItems up to %d beside contains, found %d"
              .formatted(path, MOST_COUNTED, Math.max(min, max)));
    }
    Object items = schema.getOrDefault("items", true);
    Expression item = compiler.value(items, path + "/items");
    Expression wanted =
        compiler.value(Map.of("allOf", List.of(items, schema.get("contains"))), path + "/contains");
    Expression more = Expression.sequence(JsonText.COMMA, item);
    int end = max == Repeat.UNLIMITED ? Math.max(1, min) : max - 1;
    Expression needing = // so many items are there, none of them wanted
        Expression.sequence(
            max == Repeat.UNLIMITED ? Expression.any(more) : Expression.EMPTY,
            end == 0 ? Expression.EMPTY : JsonText.COMMA,
            wanted,
            max == Repeat.UNLIMITED ? Expression.any(more) : Expression.EMPTY);
    for (int k = end - 1; k >= 0; k--) {
      Expression comma = k == 0 ? Expression.EMPTY : JsonText.COMMA;
      int left = max == Repeat.UNLIMITED ? max : max - k - 1;
      needing =
          compiler.rule(
              path + " (needing after " + k + ")",
              Expression.choice(
                  Expression.sequence(
                      comma, wanted, new Repeat(more, Math.max(0, min - k - 1), left)),
                  Expression.sequence(comma, item, needing)));
    }
    return Expression.sequence(new Literal("["), needing, new Literal("]"));
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
