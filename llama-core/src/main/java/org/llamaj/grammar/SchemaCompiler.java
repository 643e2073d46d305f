package org.llamaj.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.Json;

/** Makes the rules of JSON texts from a JSON Schema. */
final class SchemaCompiler {
  private static final Set<String> NOTES =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$anchor",
          "$vocabulary",
          "contentEncoding",
          "contentMediaType",
          "contentSchema",
          "discriminator",
          "example",
          "externalDocs",
          "xml");

  /** What each type understands; a keyword for another type says nothing about a value. */
  private static final Map<String, Set<String>> KEYWORDS =
      Map.of(
          "object",
          Set.of(
              "properties",
              "required",
              "additionalProperties",
              "patternProperties",
              "propertyNames",
              "minProperties",
              "maxProperties"),
          "array",
          Set.of("items", "prefixItems", "additionalItems", "minItems", "maxItems"),
          "string",
          Set.of("minLength", "maxLength", "pattern", "format"),
          "number",
          Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

  private static final Set<String> COMMON =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable");

  private static final int DEEPEST = 200;
  private static final int MOST_REMAINDERS = 1000;

  private final Object document;
  private final ValueSyntax syntax;
  private final String prefix;
  private final Map<String, Expression> rules;
  private int depth;

  private SchemaCompiler(
      Object document, ValueSyntax syntax, String prefix, Map<String, Expression> rules) {
    this.document = document;
    this.syntax = syntax;
    this.prefix = prefix;
    this.rules = rules;
  }

  static Rules compile(String schema) {
    Object document;
    try {
      document = Json.parse(schema);
    } catch (TokenizerException e) {
      throw new GrammarException("the schema is " + e.getMessage());
    }
    Map<String, Expression> rules = new LinkedHashMap<>();
    value(document, "", rules);
    return new Rules(rules, "root", rule -> rule + ": ");
  }

  /**
   * Adds the rules of JSON texts to others.
   *
   * @param schema as maps, lists, strings, numbers, booleans
   * @param prefix of the names of rules
   * @param rules receives the rules
   * @return the texts
   */
  static Expression value(Object schema, String prefix, Map<String, Expression> rules) {
    return new SchemaCompiler(schema, ValueSyntax.JSON, prefix, rules).rule("root", schema, "#");
  }

  /**
   * Adds the rules of keyword arguments of Python, {@code a=1, b="x"}, to others.
   *
   * @param schema of an object: its properties are the arguments
   * @param prefix of the names of rules
   * @param rules receives the rules
   * @return the arguments, without parentheses
   */
  static Expression keywords(
      Map<String, Object> schema, String prefix, Map<String, Expression> rules) {
    return new SchemaCompiler(schema, ValueSyntax.PYTHON, prefix, rules).keywords(schema);
  }

  private Expression keywords(Map<String, Object> schema) {
    check(schema, "#");
    Map<String, Object> merged =
        Schemas.merged(Map.of("allOf", List.of(schema)), this::resolved, "#");
    Map<String, Object> properties = properties(merged);
    List<Expression> arguments = new ArrayList<>();
    properties.forEach(
        (name, property) ->
            arguments.add(
                Expression.sequence(
                    Expression.literal(name + "="), value(property, "#/properties/" + name))));
    return members(arguments, required(merged, properties, "#"), null, "#");
  }

  private Reference rule(String name, Object schema, String path) {
    if (!rules.containsKey(prefix + name)) {
      rules.put(prefix + name, Expression.EMPTY); // found by references within
      rules.put(prefix + name, value(schema, path));
    }
    return new Reference(prefix + name);
  }

  private Reference rule(String name, Expression expression) {
    rules.put(prefix + name, expression);
    return new Reference(prefix + name);
  }

  private Expression value(Object schema, String path) {
    if (++depth > DEEPEST) {
      throw new GrammarException(
          "%s: expected schemas nested at most %d deep, found more".formatted(path, DEEPEST));
    }
    try {
      return switch (schema) {
        case Boolean all when all -> anyValue();
        case Map<?, ?> map -> value(strings(map), path);
        case null, default ->
            throw new GrammarException(
                "%s: expected an object or true, found %s".formatted(path, schema));
      };
    } finally {
      depth--;
    }
  }

  private Expression value(Map<String, Object> schema, String path) {
    check(schema, path);
    if (Boolean.TRUE.equals(schema.get("nullable"))) {
      return Expression.choice(syntax.nothing(), value(without(schema, "nullable"), path));
    }
    if (schema.containsKey("$ref")) {
      return reference(schema, path);
    }
    if (schema.containsKey("allOf")) {
      return value(Schemas.merged(schema, this::resolved, path), path);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.containsKey(keyword)) {
        return alternatives(schema, keyword, path);
      }
    }
    if (schema.containsKey("const")) {
      Object value = schema.get("const");
      return values(Collections.singletonList(value), without(schema, "const"), path);
    }
    if (schema.containsKey("enum")) {
      return values(list(schema.get("enum"), path + "/enum"), without(schema, "enum"), path);
    }
    return typed(schema, path);
  }

  private static Map<String, Object> without(Map<String, Object> schema, String keyword) {
    Map<String, Object> others = new LinkedHashMap<>(schema);
    others.remove(keyword);
    return others;
  }

  /** Those of some values that the other keywords allow. */
  private Expression values(List<?> values, Map<String, Object> others, String path) {
    others.keySet().removeIf(SchemaCompiler::isNote);
    List<?> allowed = values;
    if (!others.isEmpty()) {
      Map<String, Expression> rest = new LinkedHashMap<>();
      new SchemaCompiler(document, ValueSyntax.JSON, "", rest).rule("rest", others, path);
      Grammar grammar = Grammar.of(new Rules(rest, "rest", _ -> path + ": "));
      allowed =
          values.stream()
              .filter(
                  value ->
                      value instanceof Map
                          || value instanceof List
                          || grammar.accepts(JsonText.write(value)))
              .toList();
    }
    if (allowed.isEmpty()) {
      throw new GrammarException(
          "%s: expected values that the other keywords allow, found none of %s"
              .formatted(path, values));
    }
    return Expression.choice(allowed.stream().map(syntax::value).toList());
  }

  private Expression alternatives(Map<String, Object> schema, String keyword, String path) {
    Map<String, Object> common = new LinkedHashMap<>(schema);
    List<?> alternatives = list(common.remove(keyword), path + "/" + keyword);
    common.keySet().removeIf(SchemaCompiler::isNote);
    List<Expression> expressions = new ArrayList<>();
    for (int i = 0; i < alternatives.size(); i++) {
      String place = path + "/" + keyword + "/" + i;
      Object alternative = alternatives.get(i);
      expressions.add(
          value(
              common.isEmpty()
                  ? alternative
                  : Schemas.merged(
                      Map.of("allOf", List.of(common, alternative)), this::resolved, place),
              place));
    }
    return Expression.choice(expressions);
  }

  private Expression reference(Map<String, Object> schema, String path) {
    Map<String, Object> others = new LinkedHashMap<>(schema);
    others.keySet().removeIf(SchemaCompiler::isNote);
    Object target = others.remove("$ref");
    if (!others.isEmpty()) {
      return value(
          Schemas.merged(
              Map.of("allOf", List.of(others, Map.of("$ref", target))), this::resolved, path),
          path);
    }
    String pointer = target.toString();
    return pointer.equals("#")
        ? rule("root", document, "#")
        : rule(pointer, resolved(pointer, path), pointer);
  }

  /** The schema that a reference names. */
  private Object resolved(String pointer, String path) {
    Object at = document;
    if (!pointer.startsWith("#")) {
      throw new GrammarException(
          "%s: expected a $ref within the schema, as #/$defs/name, found %s"
              .formatted(path, pointer));
    }
    for (String step : pointer.substring(1).split("/")) {
      if (step.isEmpty()) {
        continue;
      }
      String name = step.replace("~1", "/").replace("~0", "~");
      Object next =
          switch (at) {
            case Map<?, ?> map -> map.get(name);
            case List<?> items
                when name.matches("\\d{1,6}") && Integer.parseInt(name) < items.size() ->
                items.get(Integer.parseInt(name));
            case null, default -> null;
          };
      if (next == null) {
        throw new GrammarException(
            "%s: expected something at %s, found nothing".formatted(path, pointer));
      }
      at = next;
    }
    return at;
  }

  private Expression typed(Map<String, Object> schema, String path) {
    Object type = schema.get("type");
    if (type == null) {
      type = impliedType(schema);
    }
    if (type instanceof List<?> types) {
      List<Expression> alternatives = new ArrayList<>();
      for (Object one : list(types, path + "/type")) {
        alternatives.add(ofType(one, schema, path));
      }
      return Expression.choice(alternatives);
    }
    return type == null ? anyValue() : ofType(type, schema, path);
  }

  /** The type that the keywords speak of; null if there is none. */
  private static String impliedType(Map<String, Object> schema) {
    for (String type : List.of("object", "array", "string", "number")) {
      if (KEYWORDS.get(type).stream().anyMatch(schema::containsKey)) {
        return type;
      }
    }
    return null;
  }

  private Expression ofType(Object type, Map<String, Object> schema, String path) {
    return switch (type.toString()) {
      case "object" -> object(schema, path);
      case "array" -> array(schema, path);
      case "string" -> SchemaStrings.of(schema, path, syntax, this::string);
      case "integer" -> integer(schema, path);
      case "number" -> number(schema, path);
      case "boolean" -> syntax.bool();
      case "null" -> syntax.nothing();
      default ->
          throw new GrammarException(
              "%s/type: expected object, array, string, integer, number, boolean or null, found %s"
                  .formatted(path, type));
    };
  }

  private Expression string() {
    return rule("string", syntax.string(0, Repeat.UNLIMITED));
  }

  private Expression integer(Map<String, Object> schema, String path) {
    Limits limits = Limits.of(schema, path);
    BigDecimal step = decimal(schema, "multipleOf", path);
    if (step != null) {
      requireAlone(limits, path);
      return multiples(step, path);
    }
    if (limits.none()) {
      return JsonText.INTEGER;
    }
    return found(
        IntegerRange.whole(
            limits.min() == null ? null : IntegerRange.ceiling(limits.min(), limits.openMin()),
            limits.max() == null ? null : IntegerRange.floor(limits.max(), limits.openMax())),
        path);
  }

  private Expression number(Map<String, Object> schema, String path) {
    Limits limits = Limits.of(schema, path);
    BigDecimal step = decimal(schema, "multipleOf", path);
    if (step != null) {
      requireAlone(limits, path);
      BigDecimal plain = step.stripTrailingZeros();
      return plain.scale() > 0 && plain.unscaledValue().equals(BigInteger.ONE)
          ? Expression.sequence(JsonText.INTEGER, Expression.optional(decimals(plain.scale())))
          : multiples(step, path);
    }
    return limits.none()
        ? rule("number", JsonText.NUMBER)
        : found(
            DecimalRange.of(limits.min(), limits.max(), limits.openMin(), limits.openMax()), path);
  }

  private static void requireAlone(Limits limits, String path) {
    if (!limits.none()) {
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

  private static Expression found(Expression expression, String path) {
    if (expression == null) {
      throw new GrammarException(path + ": expected limits with numbers between them, found none");
    }
    return expression;
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

  private Expression array(Map<String, Object> schema, String path) {
    if (schema.get("items") instanceof List<?> tuple) { // before draft 2020-12
      Map<String, Object> renamed = without(without(schema, "items"), "additionalItems");
      renamed.put("prefixItems", tuple);
      renamed.put("items", schema.getOrDefault("additionalItems", false));
      return array(renamed, path);
    }
    List<Expression> first = new ArrayList<>();
    if (schema.get("prefixItems") instanceof List<?> prefix) {
      for (int i = 0; i < prefix.size(); i++) {
        first.add(value(prefix.get(i), path + "/prefixItems/" + i));
      }
    }
    int min = count(schema, "minItems", 0, path) - first.size();
    int max = count(schema, "maxItems", Repeat.UNLIMITED, path);
    Object items = schema.get("items");
    boolean closed = Boolean.FALSE.equals(items) || items == null && !first.isEmpty();
    if (max != Repeat.UNLIMITED) {
      max -= first.size();
    }
    if (max < Repeat.UNLIMITED || closed && min > 0 || max != Repeat.UNLIMITED && min > max) {
      throw new GrammarException(
          path
              + ": expected minItems, maxItems and prefixItems that agree, found that they do not");
    }
    if (closed || max == 0) {
      return JsonText.bracketed("[", first, "]");
    }
    Expression item = items == null ? anyValue() : value(items, path + "/items");
    Expression more = Expression.sequence(JsonText.COMMA, item);
    if (first.isEmpty()) {
      return Expression.sequence(new Literal("["), listOf(item, min, max), new Literal("]"));
    }
    return Expression.sequence(
        JsonText.bracketed("[", first, ""),
        new Repeat(more, Math.max(0, min), max),
        new Literal("]"));
  }

  private Expression object(Map<String, Object> schema, String path) {
    Map<String, Object> properties = properties(schema);
    List<String> names = List.copyOf(properties.keySet());
    List<Boolean> required = required(schema, properties, path);
    boolean open = !schema.containsKey("properties");
    Object more = schema.getOrDefault("additionalProperties", open);
    Expression others = others(schema, names, more, path);
    int min = count(schema, "minProperties", 0, path);
    int max = count(schema, "maxProperties", Repeat.UNLIMITED, path);
    if (min > 0 || max != Repeat.UNLIMITED) {
      if (!names.isEmpty() || others == null) {
        throw new GrammarException(
            path + ": expected minProperties and maxProperties without properties, found both");
      }
      return Expression.sequence(new Literal("{"), listOf(others, min, max), new Literal("}"));
    }
    List<Expression> members = new ArrayList<>();
    for (String name : names) {
      members.add(
          Expression.sequence(
              new Literal(JsonText.write(name)),
              JsonText.COLON,
              value(properties.get(name), path + "/properties/" + name)));
    }
    return Expression.sequence(
        new Literal("{"), members(members, required, others, path), new Literal("}"));
  }

  /** Members that are not listed, with a value of any of the patterns' or all others' schemas. */
  private Expression others(
      Map<String, Object> schema, List<String> names, Object more, String path) {
    List<Expression> others = new ArrayList<>();
    if (schema.get("patternProperties") instanceof Map<?, ?> patterns && !patterns.isEmpty()) {
      boolean closed = !(schema.get("additionalProperties") instanceof Object o) || o.equals(false);
      if (!names.isEmpty() || schema.containsKey("propertyNames") || !closed) {
        throw new GrammarException(
            path + ": expected patternProperties alone, found other properties beside them");
      }
      strings(patterns)
          .forEach(
              (pattern, value) -> {
                String place = path + "/patternProperties/" + pattern;
                Expression key = SchemaStrings.of(Map.of("pattern", pattern), place, syntax, null);
                others.add(Expression.sequence(key, JsonText.COLON, value(value, place)));
              });
    } else if (!Boolean.FALSE.equals(more)) {
      Expression key = names.isEmpty() ? string() : JsonText.stringOtherThan(names);
      if (schema.containsKey("propertyNames")) {
        if (!names.isEmpty()) {
          throw new GrammarException(path + ": expected propertyNames or properties, found both");
        }
        Map<String, Object> name =
            Schemas.merged(
                Map.of("allOf", List.of(Map.of("type", "string"), schema.get("propertyNames"))),
                this::resolved,
                path);
        key = value(name, path + "/propertyNames");
      }
      others.add(
          Expression.sequence(key, JsonText.COLON, value(more, path + "/additionalProperties")));
    }
    return others.isEmpty() ? null : rule(path + " (other)", Expression.choice(others));
  }

  private static Map<String, Object> properties(Map<String, Object> schema) {
    return schema.get("properties") instanceof Map<?, ?> map ? strings(map) : Map.of();
  }

  /** Whether each property is required. */
  private static List<Boolean> required(
      Map<String, Object> schema, Map<String, Object> properties, String path) {
    List<?> required = schema.get("required") instanceof List<?> list ? list : List.of();
    for (Object name : required) {
      if (!properties.containsKey(name)) {
        throw new GrammarException(
            "%s/required: expected names of properties, found %s".formatted(path, name));
      }
    }
    return properties.keySet().stream().map(required::contains).toList();
  }

  /**
   * The members from each property on, made from the last to the first: with a comma before them if
   * one has come already.
   */
  private Expression members(
      List<Expression> members, List<Boolean> required, Expression others, String path) {
    Expression first = Expression.EMPTY;
    Expression further = Expression.EMPTY;
    if (others != null) {
      further = Expression.any(Expression.sequence(JsonText.COMMA, others));
      first = Expression.optional(Expression.sequence(others, further));
    }
    for (int i = members.size() - 1; i >= 0; i--) {
      boolean optional = !required.get(i);
      Expression member = rule(path + " (member " + i + ")", members.get(i));
      Expression next =
          further.equals(Expression.EMPTY) ? further : rule(path + " (after " + i + ")", further);
      Expression asFirst = Expression.sequence(member, next);
      Expression asNext = Expression.sequence(JsonText.COMMA, member, next);
      first = optional ? Expression.choice(asFirst, first) : asFirst;
      further = optional ? Expression.choice(asNext, next) : asNext;
      if (optional && i > 0) {
        first = rule(path + " (from " + i + ")", first);
      }
    }
    return first;
  }

  private Expression anyValue() {
    Reference value = new Reference(prefix + "value");
    if (!rules.containsKey(value.rule())) {
      rules.put(value.rule(), Expression.EMPTY);
      Expression member = Expression.sequence(string(), JsonText.COLON, value);
      rule(
          "value",
          Expression.choice(
              string(),
              rule("number", JsonText.NUMBER),
              syntax.bool(),
              syntax.nothing(),
              Expression.sequence(new Literal("["), listOf(value), new Literal("]")),
              Expression.sequence(new Literal("{"), listOf(member), new Literal("}"))));
    }
    return value;
  }

  private static Expression listOf(Expression item) {
    return listOf(item, 0, Repeat.UNLIMITED);
  }

  /** Items with commas between them. */
  private static Expression listOf(Expression item, int min, int max) {
    if (max == 0) {
      return Expression.EMPTY;
    }
    Expression more = Expression.sequence(JsonText.COMMA, item);
    Expression rest =
        new Repeat(more, Math.max(0, min - 1), max == Repeat.UNLIMITED ? max : max - 1);
    Expression some = Expression.sequence(item, rest);
    return min > 0 ? some : Expression.optional(some);
  }

  static int count(Map<String, Object> schema, String keyword, int without, String path) {
    return switch (schema.get(keyword)) {
      case null -> without;
      case Long count when count >= 0 && count < 1_000_000_000 -> count.intValue();
      case Object other ->
          throw new GrammarException(
              "%s/%s: expected a number from 0 to 999999999, found %s"
                  .formatted(path, keyword, other));
    };
  }

  /** Whether a keyword says nothing about values. */
  private static boolean isNote(String keyword) {
    return NOTES.contains(keyword) || keyword.startsWith("x-");
  }

  private static void check(Map<String, Object> schema, String path) {
    for (String keyword : schema.keySet()) {
      boolean closed = // as objects and arrays are without it
          keyword.startsWith("unevaluated")
              && Boolean.FALSE.equals(schema.get(keyword))
              && !schema.containsKey("additionalProperties");
      boolean known =
          closed
              || isNote(keyword)
              || COMMON.contains(keyword)
              || KEYWORDS.values().stream().anyMatch(set -> set.contains(keyword));
      boolean idle = keyword.equals("uniqueItems") && Boolean.FALSE.equals(schema.get(keyword));
      if (!known && !idle) {
        throw new GrammarException(
            "%s: expected keywords that are supported, found %s".formatted(path, keyword));
      }
    }
  }

  private static List<?> list(Object value, String path) {
    if (value instanceof List<?> list && !list.isEmpty()) {
      return list;
    }
    throw new GrammarException("%s: expected a list, found %s".formatted(path, value));
  }

  @SuppressWarnings("unchecked") // JSON objects have strings as keys
  static Map<String, Object> strings(Map<?, ?> map) {
    return (Map<String, Object>) map;
  }
}
