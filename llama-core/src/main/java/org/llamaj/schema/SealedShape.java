package org.llamaj.schema;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A sealed interface of records: an object with the record's name as {@code type} before its
 * components.
 *
 * @param type the interface
 * @param records the shapes of its records, also of those of interfaces it permits
 */
record SealedShape(Class<?> type, List<RecordShape> records) implements Shape {
  private static final String NAME = "type";

  @Override
  public Map<String, Object> schema() {
    List<Object> alternatives = new ArrayList<>();
    for (RecordShape shape : records) {
      Map<String, Object> name = new LinkedHashMap<>();
      name.put("const", shape.type().getSimpleName());
      alternatives.add(shape.schema(Map.of(NAME, name)));
    }
    Map<String, Object> schema = new LinkedHashMap<>();
    Description description = type.getAnnotation(Description.class);
    if (description != null) {
      schema.put("description", description.value());
    }
    schema.put("anyOf", alternatives);
    return schema;
  }

  @Override
  public Object read(Object json, String path) {
    Object name = json instanceof Map<?, ?> map ? map.get(NAME) : null;
    for (RecordShape shape : records) {
      if (shape.type().getSimpleName().equals(name)) {
        return shape.read(json, path);
      }
    }
    List<String> names = records.stream().map(r -> r.type().getSimpleName()).toList();
    throw Shape.expected("an object with the type one of " + names, json, path);
  }

  @Override
  public Object write(Object value) {
    for (RecordShape shape : records) {
      if (shape.type().isInstance(value)) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(NAME, shape.type().getSimpleName());
        ((Map<?, ?>) shape.write(value)).forEach((k, v) -> map.put(k.toString(), v));
        return map;
      }
    }
    throw new IllegalStateException("not of " + type + ": " + value);
  }
}
