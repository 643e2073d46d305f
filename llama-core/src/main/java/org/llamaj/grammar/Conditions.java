package org.llamaj.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the keywords of a schema that depend on what else is there as alternatives: {@code if} I
 * {@code then} T {@code else} E is (I and T) or (not I and E), and so on. What is negated becomes
 * alternatives as well: not (a: 1, required b) is an a other than 1, or no b.
 *
 * <p>One negation stays, of given values, {@code {"not": {"enum": [...]}}}: the rules of texts and
 * numbers can leave values out.
 */
final class Conditions {
  private static final Set<String> KEYWORDS =
      Set.of("if", "then", "else", "not", "dependentRequired", "dependentSchemas", "dependencies");

  private static final List<String> TYPES =
      List.of("object", "array", "string", "number", "boolean", "null");

  private final Schemas.Resolver resolver;

  Conditions(Schemas.Resolver resolver) {
    this.resolver = resolver;
  }

  static boolean isCondition(String keyword) {
    return KEYWORDS.contains(keyword);
  }

  /** Whether there is something to write otherwise. */
  static boolean areIn(Map<String, Object> schema) {
    return KEYWORDS.stream()
        .anyMatch(
            keyword ->
                schema.containsKey(keyword) && !(keyword.equals("not") && isPlainNot(schema)));
  }

  private static boolean isPlainNot(Map<String, Object> schema) {
    return schema.get("not") instanceof Map<?, ?> not
        && not.size() == 1
        && not.get("enum") instanceof List<?>;
  }

  /** The same schema, as {@code allOf} of the other keywords and of alternatives. */
  Map<String, Object> rewritten(Map<String, Object> schema, String path) {
    Map<String, Object> rest = new LinkedHashMap<>(schema);
    List<Object> parts = new ArrayList<>();
    if (rest.remove("allOf") instanceof List<?> present) {
      parts.addAll(present);
    }
    Object condition = rest.remove("if");
    Object then = rest.remove("then");
    Object otherwise = rest.remove("else");
    if (condition != null) {
      List<Object> alternatives = new ArrayList<>();
      alternatives.add(allOf(condition, then == null ? true : then));
      for (Object not : negation(condition, path + "/if")) {
        alternatives.add(allOf(not, otherwise == null ? true : otherwise));
      }
      parts.add(anyOf(alternatives));
    }
    if (schema.containsKey("not") && !isPlainNot(schema)) {
      parts.add(anyOf(negation(rest.remove("not"), path + "/not")));
    }
    for (String keyword : List.of("dependentRequired", "dependentSchemas", "dependencies")) {
      if (rest.remove(keyword) instanceof Map<?, ?> dependencies) {
        SchemaCompiler.strings(dependencies)
            .forEach((name, dependent) -> parts.add(dependency(name, dependent)));
      }
    }
    rest.put("allOf", parts);
    return rest;
  }

  /** Without the property, or with all that it asks for. */
  private static Object dependency(String name, Object dependent) {
    Object asked =
        dependent instanceof List<?> names
            ? Map.of("required", with(name, names))
            : allOf(Map.of("required", List.of(name)), dependent);
    return anyOf(List.of(without(name), asked));
  }

  private static List<Object> with(String name, List<?> names) {
    List<Object> all = new ArrayList<>(List.of(name));
    all.addAll(names);
    return all;
  }

  /** Alternatives that together hold exactly where a schema does not; none if it always holds. */
  List<Object> negation(Object schema, String path) {
    return switch (schema) {
      case Boolean all -> all ? List.of() : List.of(true);
      case Map<?, ?> map -> {
        List<Object> alternatives = new ArrayList<>();
        Map<String, Object> keywords = SchemaCompiler.strings(map);
        keywords.forEach(
            (keyword, value) -> alternatives.addAll(negation(keyword, value, keywords, path)));
        yield alternatives;
      }
      case null, default ->
          throw new GrammarException(
              "%s: expected an object, true or false, found %s".formatted(path, schema));
    };
  }

  private List<Object> negation(
      String keyword, Object value, Map<String, Object> schema, String path) {
    if (SchemaCompiler.isNote(keyword)) {
      return List.of();
    }
    return switch (keyword) {
      case "const" -> List.of(Map.of("not", Map.of("enum", listOf(value))));
      case "enum" -> List.of(Map.of("not", Map.of("enum", value)));
      case "type" -> otherTypes(value, path);
      case "required" ->
          ((List<?>) value).stream().map(name -> (Object) without(name.toString())).toList();
      case "properties" -> properties(SchemaCompiler.strings((Map<?, ?>) value), path);
      case "items" -> items(value, schema, path);
      case "contains" -> contains(value, schema, path);
      case "minimum" -> numbers("exclusiveMaximum", value);
      case "maximum" -> numbers("exclusiveMinimum", value);
      case "exclusiveMinimum" -> numbers("maximum", value);
      case "exclusiveMaximum" -> numbers("minimum", value);
      case "minLength", "minItems" -> fewer(keyword, (Number) value);
      case "maxLength" -> List.of(Map.of("type", "string", "minLength", count(value) + 1));
      case "maxItems" -> List.of(Map.of("type", "array", "minItems", count(value) + 1));
      case "not" -> List.of(value);
      case "allOf" ->
          ((List<?>) value).stream().flatMap(part -> negation(part, path).stream()).toList();
      case "anyOf" ->
          List.of(
              Map.of(
                  "allOf",
                  ((List<?>) value).stream().map(part -> anyOf(negation(part, path))).toList()));
      case "$ref" -> negation(resolver.resolve(value.toString(), path), path);
      default ->
          throw new GrammarException(
              "%s: expected keywords whose opposite can be written (type, enum, const, required,"
                      .formatted(path)
                  + " properties, items, limits, anyOf, allOf, not), found "
                  + keyword);
    };
  }

  private static List<Object> numbers(String opposite, Object limit) {
    return List.of(Map.of("type", "number", opposite, limit));
  }

  private static List<Object> fewer(String keyword, Number least) {
    boolean text = keyword.equals("minLength");
    return least.longValue() == 0
        ? List.of()
        : List.of(
            Map.of(
                "type",
                text ? "string" : "array",
                text ? "maxLength" : "maxItems",
                least.longValue() - 1));
  }

  private static long count(Object value) {
    return ((Number) value).longValue();
  }

  private static List<Object> otherTypes(Object value, String path) {
    List<?> given = value instanceof List<?> list ? list : List.of(value);
    if (given.contains("integer") && !given.contains("number")) {
      throw new GrammarException(
          path
              + ": expected a type whose opposite can be written, found integer: numbers that are"
              + " not whole");
    }
    List<String> others = TYPES.stream().filter(type -> !given.contains(type)).toList();
    return others.isEmpty() ? List.of() : List.of(Map.of("type", others));
  }

  private List<Object> properties(Map<String, Object> properties, String path) {
    List<Object> alternatives = new ArrayList<>();
    properties.forEach(
        (name, property) -> {
          for (Object not : negation(property, path + "/properties/" + name)) {
            alternatives.add(
                Map.of(
                    "type", "object", "required", List.of(name), "properties", Map.of(name, not)));
          }
        });
    return alternatives;
  }

  private List<Object> items(Object items, Map<String, Object> schema, String path) {
    if (schema.containsKey("prefixItems") || items instanceof List<?>) {
      throw new GrammarException(
          path + ": expected items alone, found them behind others, whose opposite is not written");
    }
    Object other = anyOf(negation(items, path + "/items"));
    return List.of(Map.of("type", "array", "contains", other));
  }

  private List<Object> contains(Object item, Map<String, Object> schema, String path) {
    if (schema.containsKey("minContains") || schema.containsKey("maxContains")) {
      throw new GrammarException(
          path + ": expected contains alone, found it with a count, whose opposite is not written");
    }
    Object other = anyOf(negation(item, path + "/contains"));
    return List.of(Map.of("type", "array", "items", other));
  }

  private static Map<String, Object> without(String name) {
    return Map.of("type", "object", "properties", Map.of(name, false));
  }

  private static Object allOf(Object a, Object b) {
    if (Boolean.FALSE.equals(a) || Boolean.FALSE.equals(b)) {
      return false;
    }
    return b.equals(true) ? a : Map.of("allOf", List.of(a, b));
  }

  /** False if there is none. */
  private static Object anyOf(List<Object> alternatives) {
    return switch (alternatives.size()) {
      case 0 -> false;
      case 1 -> alternatives.getFirst();
      default -> Map.of("anyOf", alternatives);
    };
  }

  /** Values may be null. */
  private static List<Object> listOf(Object value) {
    List<Object> list = new ArrayList<>();
    list.add(value);
    return list;
  }

  /** Whether two values are the same as JSON has it: 1 and 1.0 are. */
  static boolean equal(Object a, Object b) {
    if (a instanceof Number x && b instanceof Number y) {
      return new BigDecimal(x.toString()).compareTo(new BigDecimal(y.toString())) == 0;
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return x.size() == y.size()
          && java.util.stream.IntStream.range(0, x.size()).allMatch(i -> equal(x.get(i), y.get(i)));
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.keySet().equals(y.keySet())
          && x.keySet().stream().allMatch(key -> equal(x.get(key), y.get(key)));
    }
    return a == null ? b == null : a.equals(b);
  }
}
