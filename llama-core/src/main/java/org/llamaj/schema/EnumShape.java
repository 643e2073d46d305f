package org.llamaj.schema;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One of the constants of an enum, by name.
 *
 * @param type the enum
 */
record EnumShape(Class<?> type) implements Shape {
  List<String> names() {
    return Arrays.stream(type.getEnumConstants()).map(c -> ((Enum<?>) c).name()).toList();
  }

  @Override
  public Map<String, Object> schema() {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "string");
    schema.put("enum", names());
    return schema;
  }

  @Override
  public Object read(Object json, String path) {
    for (Object constant : type.getEnumConstants()) {
      if (((Enum<?>) constant).name().equals(json)) {
        return constant;
      }
    }
    throw Shape.expected("one of " + names(), json, path);
  }

  @Override
  public Object write(Object value) {
    return ((Enum<?>) value).name();
  }
}
