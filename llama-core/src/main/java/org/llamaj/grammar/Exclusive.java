package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Alternatives of which exactly one may hold, {@code oneOf}, as ones of which any may: those that
 * may hold together with another one are written as "this one and not the other".
 */
final class Exclusive {
  private final Schemas.Resolver resolver;

  Exclusive(Schemas.Resolver resolver) {
    this.resolver = resolver;
  }

  /**
   * @param schema with the keyword; its {@code discriminator}, if any, tells alternatives apart
   * @param common what holds beside the alternatives
   * @param given the alternatives
   * @param path of the schema
   * @return as many alternatives
   */
  List<Object> alternatives(
      Map<String, Object> schema, Map<String, Object> common, List<?> given, String path) {
    if (schema.get("discriminator") instanceof Map<?, ?> discriminator
        && discriminator.get("propertyName") instanceof String property) {
      return told(property, discriminator.get("mapping"), given);
    }
    Disjoint disjoint = new Disjoint(resolver, path);
    List<Object> result = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      List<Object> parts = new ArrayList<>(List.of(given.get(i)));
      Object written = Map.of("allOf", List.of(common, given.get(i)));
      for (int j = 0; j < given.size(); j++) {
        Object other = Map.of("allOf", List.of(common, given.get(j)));
        if (i != j && !disjoint.never(written, other)) {
          parts.add(without(given.get(j), written, path, i, j));
        }
      }
      result.add(parts.size() == 1 ? parts.getFirst() : Map.of("allOf", parts));
    }
    return result;
  }

  /** The opposite of an alternative, as far as it speaks of what another one lists. */
  private Object without(Object excluded, Object written, String path, int i, int j) {
    List<Object> opposite;
    try {
      opposite = new Conditions(resolver).negation(excluded, path + "/oneOf/" + j);
    } catch (GrammarException e) {
      throw overlapping(path, i, j, e.getMessage());
    }
    Map<String, Object> listed =
        SchemaCompiler.properties(
            Schemas.merged(Map.of("allOf", List.of(written)), resolver, path));
    List<Object> fitting =
        opposite.stream()
            .filter(
                one ->
                    !(one instanceof Map<?, ?> map)
                        || !map.containsKey("required")
                        || listed.keySet().containsAll((List<?>) map.get("required")))
            .toList();
    if (fitting.isEmpty()) {
      throw overlapping(path, i, j, "whatever is valid for one is valid for the other");
    }
    return Map.of("anyOf", fitting);
  }

  private static GrammarException overlapping(String path, int i, int j, String reason) {
    return new GrammarException(
        "%s/oneOf: expected alternatives that exclude each other, by a property with a different"
                .formatted(path)
            + " const for example, found that %d and %d may hold together (%s); write anyOf if they"
                .formatted(i, j, reason)
            + " may");
  }

  /** The alternatives with the value of the property that tells them apart. */
  private static List<Object> told(String property, Object mapping, List<?> given) {
    List<Object> result = new ArrayList<>();
    for (Object one : given) {
      if (!(one instanceof Map<?, ?> map) || !(map.get("$ref") instanceof String target)) {
        result.add(one);
        continue;
      }
      String name = target.substring(target.lastIndexOf('/') + 1);
      List<Object> names = new ArrayList<>();
      if (mapping instanceof Map<?, ?> byName) {
        byName.forEach(
            (key, value) -> {
              if (value.equals(target) || value.equals(name)) {
                names.add(key);
              }
            });
      }
      if (names.isEmpty()) {
        names.add(name);
      }
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("properties", Map.of(property, Map.of("enum", names)));
      told.put("required", List.of(property));
      result.add(Map.of("allOf", List.of(one, told)));
    }
    return result;
  }
}
