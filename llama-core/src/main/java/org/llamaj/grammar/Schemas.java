package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts schemas together that have to hold at once. */
final class Schemas {
  private static final int MOST_REFERENCES = 100;
  private static final int MOST_ALTERNATIVES = 256;

  private Schemas() {}

  /** Finds what a reference names. */
  interface Resolver {
    Object resolve(String pointer, String path);
  }

  /** A schema with {@code allOf} as one without, and without conditions. */
  static Map<String, Object> merged(Map<String, Object> schema, Resolver resolver, String path) {
    Map<String, Object> result = new LinkedHashMap<>(plain(schema, resolver, path));
    Object parts = result.remove("allOf");
    if (!(parts instanceof List<?> list)) {
      throw new GrammarException("%s/allOf: expected a list, found %s".formatted(path, parts));
    }
    for (Object part : list) {
      Map<String, Object> other = resolved(part, resolver, path);
      Map<String, Object> spread = spread(other, result);
      result = spread(result, other);
      for (Map.Entry<String, Object> keyword : spread.entrySet()) {
        merge(result, keyword.getKey(), keyword.getValue(), path);
      }
    }
    return result;
  }

  /** Conditions become alternatives, in {@code allOf}. */
  private static Map<String, Object> plain(
      Map<String, Object> schema, Resolver resolver, String path) {
    return Conditions.areIn(schema) ? new Conditions(resolver).rewritten(schema, path) : schema;
  }

  private static Map<String, Object> resolved(Object part, Resolver resolver, String path) {
    Object at = part;
    for (int i = 0; i < MOST_REFERENCES; i++) {
      if (Boolean.TRUE.equals(at)) {
        return Map.of();
      }
      if (Boolean.FALSE.equals(at)) {
        throw GrammarException.nothing(path + ": expected a schema with values, found false");
      }
      if (!(at instanceof Map<?, ?> map)) {
        throw new GrammarException(
            "%s: expected schemas that can be put together, found %s".formatted(path, at));
      }
      Map<String, Object> schema = plain(SchemaCompiler.strings(map), resolver, path);
      SchemaCompiler.check(schema, path);
      if (schema.containsKey("allOf")) {
        return merged(schema, resolver, path);
      }
      if (!schema.containsKey("$ref")) {
        return schema;
      }
      Map<String, Object> others = SchemaCompiler.without(schema, "$ref");
      others.keySet().removeIf(SchemaCompiler::isNote);
      Object target = resolver.resolve(schema.get("$ref").toString(), path);
      at = others.isEmpty() ? target : Map.of("allOf", List.of(others, target));
    }
    throw new GrammarException(
        path + ": expected references that lead to a schema, found a circle");
  }

  /**
   * What a schema says of all other properties or items, as properties and items that the other one
   * lists: these are no others to that one, and what it says of them would get lost.
   */
  private static Map<String, Object> spread(Map<String, Object> schema, Map<String, Object> other) {
    Map<String, Object> result = new LinkedHashMap<>(schema);
    Object more = schema.getOrDefault("additionalProperties", true);
    Map<String, Object> properties = new LinkedHashMap<>(SchemaCompiler.properties(schema));
    for (String name : SchemaCompiler.properties(other).keySet()) {
      if (!more.equals(true) && !schema.containsKey("patternProperties")) {
        properties.putIfAbsent(name, more);
      }
    }
    if (properties.size() > SchemaCompiler.properties(schema).size()) {
      result.put("properties", properties);
    }
    boolean alike = schema.get("items") instanceof Map || schema.get("items") instanceof Boolean;
    if (alike
        && !schema.containsKey("prefixItems")
        && other.get("prefixItems") instanceof List<?> p) {
      result.put("prefixItems", p.stream().map(_ -> schema.get("items")).toList());
    }
    return result;
  }

  private static void merge(Map<String, Object> into, String keyword, Object value, String path) {
    Object present = into.get(keyword);
    if (!into.containsKey(keyword) || present != null && present.equals(value)) {
      into.put(keyword, value);
      return;
    }
    switch (keyword) {
      case "not" -> {
        List<Object> values = new ArrayList<>((List<?>) ((Map<?, ?>) present).get("enum"));
        values.addAll((List<?>) ((Map<?, ?>) value).get("enum"));
        into.put(keyword, Map.of("enum", values));
      }
      case "const" -> {
        if (!Conditions.equal(present, value)) {
          throw GrammarException.nothing(
              "%s: expected one value, found %s and %s".formatted(path, present, value));
        }
      }
      case "uniqueItems" -> into.put(keyword, present.equals(true) || value.equals(true));
      case "type" -> into.put(keyword, commonTypes(present, value, path));
      case "items", "additionalProperties", "propertyNames" ->
          into.put(keyword, both(present, value));
      case "anyOf", "oneOf" -> {
        List<Object> pairs = new ArrayList<>();
        for (Object a : (List<?>) present) {
          for (Object b : (List<?>) value) {
            pairs.add(both(a, b));
          }
        }
        if (pairs.size() > MOST_ALTERNATIVES) {
          throw new GrammarException(
              "%s: expected at most %d alternatives in combination, found %d"
                  .formatted(path, MOST_ALTERNATIVES, pairs.size()));
        }
        into.put(keyword, pairs);
      }
      case "required" -> {
        Set<Object> names = new LinkedHashSet<>((List<?>) present);
        names.addAll((List<?>) value);
        into.put(keyword, List.copyOf(names));
      }
      case "properties", "$defs", "definitions" -> {
        Map<String, Object> properties =
            new LinkedHashMap<>(SchemaCompiler.strings((Map<?, ?>) present));
        SchemaCompiler.strings((Map<?, ?>) value)
            .forEach(
                (name, schema) ->
                    properties.merge(name, schema, (a, b) -> a.equals(b) ? a : both(a, b)));
        into.put(keyword, properties);
      }
      case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
          into.put(keyword, larger(present, value) ? present : value);
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
          into.put(keyword, larger(present, value) ? value : present);
      case "enum" -> {
        List<Object> both = new ArrayList<>((List<?>) present);
        both.removeIf(a -> ((List<?>) value).stream().noneMatch(b -> Conditions.equal(a, b)));
        if (both.isEmpty()) {
          throw GrammarException.nothing(
              "%s: expected values in common, found %s and %s".formatted(path, present, value));
        }
        into.put(keyword, both);
      }
      case "prefixItems" -> {
        List<?> first = (List<?>) present;
        List<?> second = (List<?>) value;
        if (first.size() != second.size()) {
          throw new GrammarException(
              path + ": expected prefixItems of the same number, found others");
        }
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < first.size(); i++) {
          items.add(both(first.get(i), second.get(i)));
        }
        into.put(keyword, items);
      }
      default -> {
        if (!SchemaCompiler.isNote(keyword)) {
          throw new GrammarException(
              "%s: expected schemas that can be put together, found two with different %s"
                  .formatted(path, keyword));
        }
      }
    }
  }

  private static Object both(Object a, Object b) {
    if (Boolean.FALSE.equals(a) || Boolean.FALSE.equals(b)) {
      return false;
    }
    return Map.of("allOf", List.of(a, b));
  }

  /** Types that two lists of types (or single ones) have in common. */
  private static Object commonTypes(Object a, Object b, String path) {
    List<Object> common = new ArrayList<>();
    List<?> others = b instanceof List<?> list ? list : List.of(b);
    for (Object type : a instanceof List<?> list ? list : List.of(a)) {
      if (others.contains(type) || type.equals("integer") && others.contains("number")) {
        common.add(type);
      } else if (type.equals("number") && others.contains("integer")) {
        common.add("integer");
      }
    }
    if (common.isEmpty()) {
      throw GrammarException.nothing(
          "%s: expected schemas with a type in common, found %s and %s".formatted(path, a, b));
    }
    return common;
  }

  private static boolean larger(Object a, Object b) {
    return ((Number) a).doubleValue() > ((Number) b).doubleValue();
  }
}
