package org.llamaj.tokenizer.jinja;

import java.util.List;
import java.util.Map;

/**
 * The values of a call's arguments.
 *
 * @param positional those without a name
 * @param named those with a name
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  /** The argument at a place or of a name, or what there is otherwise. */
  Object get(int index, String name, Object otherwise) {
    if (index < positional.size()) {
      return positional.get(index);
    }
    return named.containsKey(name) ? named.get(name) : otherwise;
  }

  /** The argument at a place or of a name. */
  Object require(int index, String name) {
    if (index >= positional.size() && !named.containsKey(name)) {
      throw JinjaException.runtime("missing argument '%s'".formatted(name));
    }
    return get(index, name, null);
  }

  String string(int index, String name, String otherwise) {
    Object value = get(index, name, otherwise);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw JinjaException.runtime(
        "argument '%s' must be a string, not %s".formatted(name, Values.typeName(value)));
  }

  String requireString(int index, String name) {
    require(index, name);
    String value = string(index, name, null);
    if (value == null) {
      throw JinjaException.runtime("argument '%s' must be a string, not None".formatted(name));
    }
    return value;
  }

  int integer(int index, String name, int otherwise) {
    Object value = get(index, name, (long) otherwise);
    return Numbers.index(value);
  }

  boolean truth(int index, String name, boolean otherwise) {
    return Values.truth(get(index, name, otherwise));
  }
}
