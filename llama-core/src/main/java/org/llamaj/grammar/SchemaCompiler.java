package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
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
          Set.of(
              "items",
              "prefixItems",
              "additionalItems",
              "minItems",
              "maxItems",
              "contains",
              "minContains",
              "maxContains",
              "uniqueItems"),
          "string",
          Set.of("minLength", "maxLength", "pattern", "format"),
          "number",
          Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"));

  private static final Set<String> COMMON =
      Set.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable");

  private static final int DEEPEST = 200;

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
    return new SchemaCompiler(schema, ValueSyntax.PYTHON, prefix, rules).keywords(schema, "#");
  }

  private Expression keywords(Map<String, Object> schema, String path) {
    check(schema, path);
    Map<String, Object> merged =
        Schemas.merged(Map.of("allOf", List.of(schema)), this::resolved, path);
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (merged.containsKey(keyword)) {
        return oneOf(alternatives(merged, keyword, path), this::keywords, path);
      }
    }
    return new SchemaObjects(this).keywords(merged, path);
  }

  private Reference rule(String name, Object schema, String path) {
    if (!rules.containsKey(prefix + name)) {
      rules.put(prefix + name, Expression.EMPTY); // found by references within
      rules.put(prefix + name, value(schema, path));
    }
    return new Reference(prefix + name);
  }

  /** Makes the expression of a schema. */
  interface Maker {
    Expression make(Map<String, Object> schema, String path);
  }

  /** What a schema lets be written; null, and no rules of it, if no value fulfils it. */
  Expression ifAny(Maker maker, Object schema, String path) {
    Map<String, Expression> before = new LinkedHashMap<>(rules);
    int depthBefore = depth;
    try {
      return switch (schema) {
        case Map<?, ?> map -> maker.make(strings(map), path);
        case null, default -> value(schema, path);
      };
    } catch (GrammarException e) {
      if (!e.isNothing()) {
        throw e;
      }
      rules.clear();
      rules.putAll(before);
      depth = depthBefore;
      return null;
    }
  }

  Reference rule(String name, Expression expression) {
    rules.put(prefix + name, expression);
    return new Reference(prefix + name);
  }

  Expression value(Object schema, String path) {
    if (++depth > DEEPEST) {
      throw new GrammarException(
          "%s: expected schemas nested at most %d deep, found more".formatted(path, DEEPEST));
    }
    try {
      return switch (schema) {
        case Boolean all when all -> anyValue();
        case Boolean _ ->
            throw GrammarException.nothing(path + ": expected a schema with values, found false");
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
    if (schema.containsKey("allOf") || Conditions.areIn(schema)) {
      return value(Schemas.merged(schema, this::resolved, path), path);
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.containsKey(keyword)) {
        return oneOf(alternatives(schema, keyword, path), this::value, path);
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

  static Map<String, Object> without(Map<String, Object> schema, String keyword) {
    Map<String, Object> others = new LinkedHashMap<>(schema);
    others.remove(keyword);
    return others;
  }

  /** Those of some values that the other keywords allow. */
  private Expression values(List<?> values, Map<String, Object> others, String path) {
    return Expression.choice(allowed(values, others, path).stream().map(syntax::value).toList());
  }

  private List<?> allowed(List<?> values, Map<String, Object> others, String path) {
    others.keySet().removeIf(SchemaCompiler::isNote);
    List<?> excluded = excluded(others);
    others.remove("not");
    Map<String, Grammar> byType = new HashMap<>();
    List<Object> allowed = new ArrayList<>();
    for (Object value : values) {
      boolean out = excluded.stream().anyMatch(other -> Conditions.equal(other, value));
      if (!out && isAllowed(value, others, byType, path)) {
        allowed.add(value);
      }
    }
    if (allowed.isEmpty()) {
      throw GrammarException.nothing(
          "%s: expected values that the other keywords allow, found none of %s"
              .formatted(path, values));
    }
    return allowed;
  }

  /** Whether the keywords that speak of values of such a type allow one. */
  private boolean isAllowed(
      Object value, Map<String, Object> others, Map<String, Grammar> byType, String path) {
    String type = Disjoint.type(value);
    if (type.equals("object") || type.equals("array")) {
      return true;
    }
    Map<String, Object> relevant = new LinkedHashMap<>(others);
    KEYWORDS.forEach(
        (other, keywords) -> {
          if (!other.equals(type)) {
            relevant.keySet().removeAll(keywords);
          }
        });
    if (relevant.isEmpty()) {
      return true;
    }
    Grammar grammar = byType.computeIfAbsent(type, _ -> grammar(relevant, path));
    return grammar.accepts(JsonText.write(value));
  }

  /** Of a schema alone; of no text if no value fulfils it. */
  private Grammar grammar(Map<String, Object> schema, String path) {
    Map<String, Expression> alone = new LinkedHashMap<>();
    SchemaCompiler compiler = new SchemaCompiler(document, ValueSyntax.JSON, "", alone);
    try {
      compiler.rule("rest", schema, path);
    } catch (GrammarException e) {
      if (e.isNothing()) {
        return Grammar.of(new Rules(Map.of("rest", Expression.EMPTY), "rest", _ -> path + ": "));
      }
      throw e;
    }
    return Grammar.of(new Rules(alone, "rest", _ -> path + ": "));
  }

  /** All values of a schema that lists them. */
  List<Object> valuesOf(Object schema, String path) {
    Map<String, Object> plain =
        Schemas.merged(Map.of("allOf", List.of(schema)), this::resolved, path);
    List<Object> values = new ArrayList<>();
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (plain.containsKey(keyword)) {
        alternatives(plain, keyword, path)
            .forEach(one -> values.addAll(valuesOf(one.schema(), one.path())));
        return values;
      }
    }
    if (plain.containsKey("const")) {
      values.add(plain.get("const"));
      return new ArrayList<>(allowed(values, without(plain, "const"), path));
    }
    if (plain.containsKey("enum")) {
      List<?> all = list(plain.get("enum"), path + "/enum");
      return new ArrayList<>(allowed(all, without(plain, "enum"), path));
    }
    if ("boolean".equals(plain.get("type"))) {
      return new ArrayList<>(allowed(List.of(true, false), onlyNot(plain), path));
    }
    throw new GrammarException(
        path
            + ": expected items of listed values (enum, const, boolean) beside uniqueItems, found"
            + " others: leave uniqueItems out and drop what comes twice, or limit maxItems to 1");
  }

  Expression literal(Object value) {
    return syntax.value(value);
  }

  ValueSyntax syntax() {
    return syntax;
  }

  boolean hasRule(String name) {
    return rules.containsKey(prefix + name);
  }

  Reference rule(String name) {
    return new Reference(prefix + name);
  }

  /** The alternatives of a schema, each with the keywords beside them. */
  private List<Alternative> alternatives(Map<String, Object> schema, String keyword, String path) {
    Map<String, Object> common = new LinkedHashMap<>(schema);
    List<?> given = list(common.remove(keyword), path + "/" + keyword);
    common.keySet().removeIf(SchemaCompiler::isNote);
    String type = impliedType(common);
    if (type != null && !common.containsKey("type")) {
      common.put("type", type);
    }
    List<?> parts =
        keyword.equals("oneOf")
            ? new Exclusive(this::resolved).alternatives(schema, common, given, path)
            : given;
    List<Alternative> alternatives = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      Object part = parts.get(i);
      Object whole = common.isEmpty() ? part : Map.of("allOf", List.of(common, part));
      alternatives.add(new Alternative(whole, path + "/" + keyword + "/" + i));
    }
    return alternatives;
  }

  private record Alternative(Object schema, String path) {}

  /** One of those that values can fulfil. */
  private Expression oneOf(List<Alternative> alternatives, Maker maker, String path) {
    List<Expression> expressions = new ArrayList<>();
    for (Alternative alternative : alternatives) {
      Expression expression = ifAny(maker, alternative.schema(), alternative.path());
      if (expression != null) {
        expressions.add(expression);
      }
    }
    if (expressions.isEmpty()) {
      throw GrammarException.nothing(
          path + ": expected alternatives with values, found that the other keywords allow none");
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
  Object resolved(String pointer, String path) {
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
    if (type == null && schema.containsKey("not")) {
      type = List.of("object", "array", "string", "number", "boolean", "null");
    }
    if (type instanceof List<?> types) {
      List<Alternative> alternatives = new ArrayList<>();
      for (Object one : list(types, path + "/type")) {
        Map<String, Object> alone = new LinkedHashMap<>(schema);
        alone.put("type", one);
        alternatives.add(new Alternative(alone, path));
      }
      return oneOf(alternatives, (one, place) -> ofType(one.get("type"), one, place), path);
    }
    return type == null ? anyValue() : ofType(type, schema, path);
  }

  /** The type that the keywords speak of; null if there is none. */
  static String impliedType(Map<String, Object> schema) {
    for (String type : List.of("object", "array", "string", "number")) {
      if (KEYWORDS.get(type).stream().anyMatch(schema::containsKey)) {
        return type;
      }
    }
    return null;
  }

  private Expression ofType(Object type, Map<String, Object> schema, String path) {
    return switch (type.toString()) {
      case "object" ->
          new SchemaObjects(this).object(withoutExcluded(Map.class, schema, path), path);
      case "array" -> new SchemaArrays(this).array(withoutExcluded(List.class, schema, path), path);
      case "string" -> strings(schema, path);
      case "integer" -> new SchemaNumbers(rules, prefix).integer(schema, path);
      case "number" -> new SchemaNumbers(rules, prefix).number(schema, path);
      case "boolean" -> values(List.of(true, false), onlyNot(schema), path);
      case "null" -> values(Collections.singletonList(null), onlyNot(schema), path);
      default ->
          throw new GrammarException(
              "%s/type: expected object, array, string, integer, number, boolean or null, found %s"
                  .formatted(path, type));
    };
  }

  /** The values that a schema rules out. */
  static List<?> excluded(Map<String, Object> schema) {
    return schema.get("not") instanceof Map<?, ?> not ? (List<?>) not.get("enum") : List.of();
  }

  private static Map<String, Object> onlyNot(Map<String, Object> schema) {
    Map<String, Object> not = new LinkedHashMap<>(schema);
    not.keySet().removeIf(keyword -> !keyword.equals("not"));
    return not;
  }

  private static Map<String, Object> withoutExcluded(
      Class<?> type, Map<String, Object> schema, String path) {
    if (excluded(schema).stream().anyMatch(type::isInstance)) {
      throw new GrammarException(
          path + "/not: expected texts, numbers, true, false or null, found an object or array");
    }
    return schema;
  }

  private Expression strings(Map<String, Object> schema, String path) {
    List<String> excluded =
        excluded(schema).stream()
            .filter(String.class::isInstance)
            .map(String.class::cast)
            .distinct()
            .toList();
    Expression all = SchemaStrings.of(schema, path, syntax, this::string);
    if (excluded.isEmpty()) {
      return all;
    }
    if (KEYWORDS.get("string").stream().noneMatch(schema::containsKey)) {
      return JsonText.stringOtherThan(excluded);
    }
    Expression text = SchemaStrings.of(schema, path, ValueSyntax.JSON, () -> all);
    Grammar grammar = Grammar.of(new Rules(Map.of("root", text), "root", _ -> path + ": "));
    if (excluded.stream().anyMatch(value -> grammar.accepts(JsonText.write(value)))) {
      throw new GrammarException(
          path + ": expected values to leave out, or a length, pattern or format, found both");
    }
    return all;
  }

  Expression string() {
    return rule("string", syntax.string(0, Repeat.UNLIMITED));
  }

  Expression anyValue() {
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
  static Expression listOf(Expression item, int min, int max) {
    if (max == 0) {
      return Expression.EMPTY;
    }
    Expression more = Expression.sequence(JsonText.COMMA, item);
    Expression rest =
        new Repeat(more, Math.max(0, min - 1), max == Repeat.UNLIMITED ? max : max - 1);
    Expression some = Expression.sequence(item, rest);
    return min > 0 ? some : Expression.optional(some);
  }

  static Map<String, Object> properties(Map<String, Object> schema) {
    return schema.get("properties") instanceof Map<?, ?> map ? strings(map) : Map.of();
  }

  static int count(Map<String, Object> schema, String keyword, int without, String path) {
    return switch (schema.get(keyword)) {
      case null -> without;
      case Number count when isCount(count) -> count.intValue();
      case Object other ->
          throw new GrammarException(
              "%s/%s: expected a number from 0 to 999999999, found %s"
                  .formatted(path, keyword, other));
    };
  }

  private static boolean isCount(Number number) {
    double value = number.doubleValue();
    return value >= 0 && value < 1_000_000_000 && value == Math.rint(value);
  }

  /** Whether a keyword says nothing about values. */
  static boolean isNote(String keyword) {
    return NOTES.contains(keyword) || keyword.startsWith("x-");
  }

  static void check(Map<String, Object> schema, String path) {
    for (String keyword : schema.keySet()) {
      boolean closed = // as objects and arrays are without it
          keyword.startsWith("unevaluated")
              && Boolean.FALSE.equals(schema.get(keyword))
              && !schema.containsKey("additionalProperties");
      boolean known =
          closed
              || isNote(keyword)
              || COMMON.contains(keyword)
              || Conditions.isCondition(keyword)
              || KEYWORDS.values().stream().anyMatch(set -> set.contains(keyword));
      if (!known) {
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
