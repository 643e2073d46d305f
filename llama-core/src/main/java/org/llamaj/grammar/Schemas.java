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
    if (present == null || present.equals(value)) {
      into.put(keyword, value);
      return;
    }
    switch (keyword) {
      case "title", "description", "default", "examples", "$comment", "$id", "$schema" -> {}
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

  private static boolean larger(Object a, Object b) {
    return ((Number) a).doubleValue() > ((Number) b).doubleValue();
  }
}
