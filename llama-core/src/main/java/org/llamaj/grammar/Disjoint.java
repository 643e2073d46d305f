package org.llamaj.grammar;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whether what one schema lets be written is never valid for another one; then {@code oneOf} is
 * {@code anyOf}. "No" may also mean that nobody knows.
 *
 * <p>The first schema is taken as it is written by: with no other properties than it lists, unless
 * it has {@code additionalProperties}. The second is taken as validators take it.
 */
final class Disjoint {
  private static final int DEEPEST = 8;
  private static final List<String> TYPES =
      List.of("object", "array", "string", "integer", "number", "boolean", "null");

  private final Schemas.Resolver resolver;
  private final String path;

  Disjoint(Schemas.Resolver resolver, String path) {
    this.resolver = resolver;
    this.path = path;
  }

  boolean never(Object written, Object valid) {
    return never(written, valid, 0);
  }

  private boolean never(Object written, Object valid, int depth) {
    if (Boolean.FALSE.equals(written) || Boolean.FALSE.equals(valid)) {
      return true;
    }
    if (depth > DEEPEST) {
      return false;
    }
    Map<String, Object> a;
    Map<String, Object> b;
    try {
      a = Schemas.merged(Map.of("allOf", List.of(written)), resolver, path);
      b = Schemas.merged(Map.of("allOf", List.of(valid)), resolver, path);
    } catch (GrammarException e) {
      return e.isNothing();
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (a.get(keyword) instanceof List<?> parts) {
        return parts.stream().allMatch(part -> never(both(a, keyword, part), b, depth + 1));
      }
      if (b.get(keyword) instanceof List<?> parts) {
        return parts.stream().allMatch(part -> never(a, both(b, keyword, part), depth + 1));
      }
    }
    List<?> values = values(a);
    List<?> others = values(b);
    if (values != null && others != null) {
      return values.stream()
          .noneMatch(v -> others.stream().anyMatch(other -> Conditions.equal(v, other)));
    }
    if (values != null && b.get("not") instanceof Map<?, ?> not) {
      List<?> excluded = (List<?>) not.get("enum");
      if (values.stream()
          .allMatch(v -> excluded.stream().anyMatch(other -> Conditions.equal(v, other)))) {
        return true;
      }
    }
    String implied = SchemaCompiler.impliedType(a);
    Set<String> common =
        a.containsKey("type") || values != null || implied == null
            ? types(a)
            : types(with(a, implied));
    common.retainAll(types(b));
    return common.stream()
        .allMatch(
            type ->
                switch (type) {
                  case "object" -> objects(a, b, depth);
                  case "array" -> apart(a, b, "minItems", "maxItems");
                  case "string" -> apart(a, b, "minLength", "maxLength");
                  case "integer", "number" -> numbers(a, b);
                  default -> false;
                });
  }

  private static Map<String, Object> with(Map<String, Object> schema, String type) {
    Map<String, Object> typed = SchemaCompiler.without(schema, "type");
    typed.put("type", type);
    return typed;
  }

  private static Object both(Map<String, Object> schema, String keyword, Object part) {
    return Boolean.FALSE.equals(part)
        ? false
        : Map.of("allOf", List.of(SchemaCompiler.without(schema, keyword), part));
  }

  /** The only values; null if they are not listed. */
  private static List<?> values(Map<String, Object> schema) {
    if (schema.containsKey("const")) {
      List<Object> one = new ArrayList<>();
      one.add(schema.get("const"));
      return one;
    }
    return schema.get("enum") instanceof List<?> list ? list : null;
  }

  /** The types of values; whole numbers are numbers, too. */
  private static Set<String> types(Map<String, Object> schema) {
    Set<String> types = new LinkedHashSet<>();
    List<?> values = values(schema);
    if (values != null) {
      values.forEach(value -> types.add(type(value)));
    } else if (schema.get("type") instanceof List<?> list) {
      list.forEach(type -> types.add(type.toString()));
    } else if (schema.get("type") instanceof String type) {
      types.add(type);
    } else {
      types.addAll(TYPES);
    }
    if (Boolean.TRUE.equals(schema.get("nullable"))) {
      types.add("null");
    }
    if (types.contains("number")) {
      types.add("integer");
    }
    return types;
  }

  /** The type of a value, as schemas call it. */
  static String type(Object value) {
    return switch (value) {
      case null -> "null";
      case Boolean _ -> "boolean";
      case String _ -> "string";
      case List<?> _ -> "array";
      case Map<?, ?> _ -> "object";
      default -> "number";
    };
  }

  private boolean objects(Map<String, Object> a, Map<String, Object> b, int depth) {
    Map<String, Object> written = SchemaCompiler.properties(a);
    Map<String, Object> valid = SchemaCompiler.properties(b);
    List<?> always = a.get("required") instanceof List<?> list ? list : List.of();
    List<?> asked = b.get("required") instanceof List<?> list ? list : List.of();
    boolean open =
        a.containsKey("patternProperties")
            || !Boolean.FALSE.equals(
                a.getOrDefault("additionalProperties", !a.containsKey("properties")));
    for (Object name : asked) {
      boolean isWritten = written.containsKey(name) ? !written.get(name).equals(false) : open;
      if (!isWritten) {
        return true;
      }
    }
    for (Object name : always) {
      Object other = valid.containsKey(name) ? valid.get(name) : b.get("additionalProperties");
      if (Boolean.FALSE.equals(other) && !b.containsKey("patternProperties")) {
        return true;
      }
    }
    return written.keySet().stream()
        .anyMatch(
            name ->
                (always.contains(name) || asked.contains(name))
                    && valid.containsKey(name)
                    && never(written.get(name), valid.get(name), depth + 1));
  }

  private static boolean numbers(Map<String, Object> a, Map<String, Object> b) {
    return apart(a, b, "minimum", "maximum")
        || apart(a, b, "exclusiveMinimum", "maximum")
        || apart(a, b, "minimum", "exclusiveMaximum")
        || touching(a, b, "minimum", "exclusiveMaximum")
        || touching(b, a, "minimum", "exclusiveMaximum")
        || touching(a, b, "exclusiveMinimum", "maximum")
        || touching(b, a, "exclusiveMinimum", "maximum");
  }

  /** Whether the least of one is more than the most of the other. */
  private static boolean apart(
      Map<String, Object> a, Map<String, Object> b, String least, String most) {
    return compare(a, least, b, most) > 0 || compare(b, least, a, most) > 0;
  }

  private static boolean touching(
      Map<String, Object> a, Map<String, Object> b, String least, String most) {
    return a.containsKey(least) && b.containsKey(most) && compare(a, least, b, most) == 0;
  }

  private static int compare(
      Map<String, Object> a, String keyword, Map<String, Object> b, String other) {
    return a.get(keyword) instanceof Number x && b.get(other) instanceof Number y
        ? new BigDecimal(x.toString()).compareTo(new BigDecimal(y.toString()))
        : 0;
  }
}
