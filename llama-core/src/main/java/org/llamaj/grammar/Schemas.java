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

  private Schemas() {}

  /** Finds what a reference names. */
  interface Resolver {
    Object resolve(String pointer, String path);
  }

  /** A schema with {@code allOf} as one without. */
  static Map<String, Object> merged(Map<String, Object> schema, Resolver resolver, String path) {
    Map<String, Object> result = new LinkedHashMap<>(schema);
    Object parts = result.remove("allOf");
    if (!(parts instanceof List<?> list)) {
      throw new GrammarException("%s/allOf: expected a list, found %s".formatted(path, parts));
    }
    for (Object part : list) {
      Map<String, Object> resolved = resolved(part, resolver, path);
      resolved.forEach((keyword, value) -> merge(result, keyword, value, resolver, path));
    }
    return result;
  }

  private static Map<String, Object> resolved(Object part, Resolver resolver, String path) {
    Object at = part;
    for (int i = 0; i < MOST_REFERENCES; i++) {
      if (Boolean.TRUE.equals(at)) {
        return Map.of();
      }
      if (!(at instanceof Map<?, ?> map)) {
        throw new GrammarException(
            "%s: expected schemas that can be put together, found %s".formatted(path, at));
      }
      Map<String, Object> schema = SchemaCompiler.strings(map);
      if (schema.containsKey("allOf")) {
        return merged(schema, resolver, path);
      }
      if (schema.size() != 1 || !schema.containsKey("$ref")) {
        return schema;
      }
      at = resolver.resolve(schema.get("$ref").toString(), path);
    }
    throw new GrammarException(
        path + ": expected references that lead to a schema, found a circle");
  }

  private static void merge(
      Map<String, Object> into, String keyword, Object value, Resolver resolver, String path) {
    Object present = into.get(keyword);
    if (!into.containsKey(keyword) || present != null && present.equals(value)) {
      into.put(keyword, value);
      return;
    }
    switch (keyword) {
      case "title", "description", "default", "examples", "$comment", "$id", "$schema" -> {}
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
                    properties.merge(
                        name,
                        schema,
                        (a, b) ->
                            a.equals(b)
                                ? a
                                : merged(
                                    new LinkedHashMap<>(Map.of("allOf", List.of(a, b))),
                                    resolver,
                                    path + "/properties/" + name)));
        into.put(keyword, properties);
      }
      case "minimum", "exclusiveMinimum", "minLength", "minItems" ->
          into.put(keyword, larger(present, value) ? present : value);
      case "maximum", "exclusiveMaximum", "maxLength", "maxItems" ->
          into.put(keyword, larger(present, value) ? value : present);
      case "enum" -> {
        List<Object> both = new ArrayList<>((List<?>) present);
        both.retainAll((List<?>) value);
        into.put(keyword, both);
      }
      default ->
          throw new GrammarException(
              "%s: expected schemas that can be put together, found two with different %s"
                  .formatted(path, keyword));
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
      throw new GrammarException(
          "%s: expected schemas with a type in common, found %s and %s".formatted(path, a, b));
    }
    return common;
  }

  private static boolean larger(Object a, Object b) {
    return ((Number) a).doubleValue() > ((Number) b).doubleValue();
  }
}
