package org.llamaj.grammar;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Says whether a JSON value is valid, keyword by keyword as JSON Schema (draft 2020-12) defines
 * them; knows nothing of grammars. Values and schemas are maps, lists, strings, numbers, booleans
 * and null.
 */
record PlainValidator(Map<?, ?> document) {

  boolean isValid(Object value) {
    return isValid(document, value);
  }

  private boolean isValid(Object schema, Object value) {
    if (schema instanceof Boolean all) {
      return all;
    }
    Map<?, ?> keywords = (Map<?, ?>) schema;
    return keywords.entrySet().stream()
        .allMatch(k -> holds(k.getKey().toString(), k.getValue(), keywords, value));
  }

  private boolean holds(String keyword, Object wanted, Map<?, ?> schema, Object value) {
    return switch (keyword) {
      case "$ref" -> {
        Object at = document;
        for (String step : wanted.toString().substring(1).split("/")) {
          at = step.isEmpty() ? at : ((Map<?, ?>) at).get(step);
        }
        yield isValid(at, value);
      }
      case "type" ->
          (wanted instanceof List<?> types ? types : List.of(wanted))
              .stream().anyMatch(type -> isOfType(type.toString(), value));
      case "const" -> equal(wanted, value);
      case "enum" -> ((List<?>) wanted).stream().anyMatch(one -> equal(one, value));
      case "allOf" -> count(wanted, value) == ((List<?>) wanted).size();
      case "anyOf" -> count(wanted, value) > 0;
      case "oneOf" -> count(wanted, value) == 1;
      case "not" -> !isValid(wanted, value);
      case "if" -> {
        Object next = schema.get(isValid(wanted, value) ? "then" : "else");
        yield next == null || isValid(next, value);
      }
      case "minimum" -> !(value instanceof Number) || compare(value, wanted) >= 0;
      case "maximum" -> !(value instanceof Number) || compare(value, wanted) <= 0;
      case "exclusiveMinimum" -> !(value instanceof Number) || compare(value, wanted) > 0;
      case "exclusiveMaximum" -> !(value instanceof Number) || compare(value, wanted) < 0;
      case "minLength" -> !(value instanceof String s) || length(s) >= number(wanted);
      case "maxLength" -> !(value instanceof String s) || length(s) <= number(wanted);
      case "pattern" ->
          !(value instanceof String s) || Pattern.compile(wanted.toString()).matcher(s).find();
      default ->
          switch (value) {
            case Map<?, ?> object -> holdsForObject(keyword, wanted, schema, object);
            case List<?> array -> holdsForArray(keyword, wanted, schema, array);
            case null, default -> true;
          };
    };
  }

  private boolean holdsForObject(
      String keyword, Object wanted, Map<?, ?> schema, Map<?, ?> object) {
    Set<?> names = object.keySet();
    return switch (keyword) {
      case "required" -> names.containsAll((List<?>) wanted);
      case "properties" ->
          ((Map<?, ?>) wanted)
              .entrySet().stream()
                  .filter(p -> names.contains(p.getKey()))
                  .allMatch(p -> isValid(p.getValue(), object.get(p.getKey())));
      case "additionalProperties" ->
          names.stream()
              .filter(
                  name -> !(schema.get("properties") instanceof Map<?, ?> p && p.containsKey(name)))
              .allMatch(name -> isValid(wanted, object.get(name)));
      case "dependentRequired" ->
          ((Map<?, ?>) wanted)
              .entrySet().stream()
                  .filter(d -> names.contains(d.getKey()))
                  .allMatch(d -> names.containsAll((List<?>) d.getValue()));
      case "dependentSchemas" ->
          ((Map<?, ?>) wanted)
              .entrySet().stream()
                  .filter(d -> names.contains(d.getKey()))
                  .allMatch(d -> isValid(d.getValue(), object));
      default -> true;
    };
  }

  private boolean holdsForArray(String keyword, Object wanted, Map<?, ?> schema, List<?> array) {
    return switch (keyword) {
      case "minItems" -> array.size() >= number(wanted);
      case "maxItems" -> array.size() <= number(wanted);
      case "prefixItems" -> {
        List<?> prefix = (List<?>) wanted;
        boolean all = true;
        for (int i = 0; i < Math.min(prefix.size(), array.size()); i++) {
          all &= isValid(prefix.get(i), array.get(i));
        }
        yield all;
      }
      case "items" -> {
        int from = schema.get("prefixItems") instanceof List<?> prefix ? prefix.size() : 0;
        yield array.stream().skip(from).allMatch(item -> isValid(wanted, item));
      }
      case "contains" -> {
        long least = schema.get("minContains") instanceof Number n ? n.longValue() : 1;
        long most = schema.get("maxContains") instanceof Number n ? n.longValue() : Long.MAX_VALUE;
        long found = array.stream().filter(item -> isValid(wanted, item)).count();
        yield found >= least && found <= most;
      }
      case "uniqueItems" -> {
        boolean unique = true;
        for (int i = 0; i < array.size(); i++) {
          for (int j = 0; j < i; j++) {
            unique &= !equal(array.get(i), array.get(j));
          }
        }
        yield unique || wanted.equals(false);
      }
      default -> true;
    };
  }

  private long count(Object schemas, Object value) {
    return ((List<?>) schemas).stream().filter(schema -> isValid(schema, value)).count();
  }

  private static boolean isOfType(String type, Object value) {
    return switch (type) {
      case "object" -> value instanceof Map;
      case "array" -> value instanceof List;
      case "string" -> value instanceof String;
      case "number" -> value instanceof Number;
      case "integer" ->
          value instanceof Number n
              && new BigDecimal(n.toString()).stripTrailingZeros().scale() <= 0;
      case "boolean" -> value instanceof Boolean;
      case "null" -> value == null;
      default -> throw new AssertionError(type);
    };
  }

  private static boolean equal(Object a, Object b) {
    return switch (a) {
      case null -> b == null;
      case Number _ -> b instanceof Number && compare(a, b) == 0;
      default -> a.equals(b);
    };
  }

  private static int compare(Object a, Object b) {
    return new BigDecimal(a.toString()).compareTo(new BigDecimal(b.toString()));
  }

  private static long number(Object value) {
    return ((Number) value).longValue();
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}
