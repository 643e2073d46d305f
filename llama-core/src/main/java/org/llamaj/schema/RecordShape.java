package org.llamaj.schema;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.LlamaException;

/**
 * A record: an object with a property for each component.
 *
 * @param type the record
 * @param members the shapes of its components, in order
 */
record RecordShape(Class<?> type, List<Shape> members) implements Shape {
  @Override
  public Map<String, Object> schema() {
    return schema(Map.of());
  }

  /** With more properties before the components. */
  Map<String, Object> schema(Map<String, Object> before) {
    Map<String, Object> properties = new LinkedHashMap<>(before);
    List<String> required = new ArrayList<>(before.keySet());
    RecordComponent[] components = type.getRecordComponents();
    for (int i = 0; i < components.length; i++) {
      Map<String, Object> property = members.get(i).schema();
      Description description = components[i].getAnnotation(Description.class);
      if (description != null) {
        property.put("description", description.value());
      }
      properties.put(components[i].getName(), property);
      if (!members.get(i).optional()) {
        required.add(components[i].getName());
      }
    }
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    Description description = type.getAnnotation(Description.class);
    if (description != null) {
      schema.put("description", description.value());
    }
    schema.put("properties", properties);
    if (!required.isEmpty()) {
      schema.put("required", required);
    }
    return schema;
  }

  @Override
  public Object read(Object json, String path) {
    if (!(json instanceof Map<?, ?> map)) {
      throw Shape.expected("an object", json, path);
    }
    RecordComponent[] components = type.getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < values.length; i++) {
      String name = components[i].getName();
      if (!members.get(i).optional() && !map.containsKey(name)) {
        throw Shape.expected("the property " + name, map.keySet(), path);
      }
      values[i] = members.get(i).read(map.get(name), path + "." + name);
    }
    return construct(components, values, path);
  }

  private Object construct(RecordComponent[] components, Object[] values, String path) {
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new LlamaException(
          "%s: %s refused the values: %s"
              .formatted(path, type.getSimpleName(), e.getCause().getMessage()),
          e.getCause());
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw closed(e);
    }
  }

  @Override
  public Object write(Object value) {
    Map<String, Object> map = new LinkedHashMap<>();
    RecordComponent[] components = type.getRecordComponents();
    for (int i = 0; i < components.length; i++) {
      Object member;
      try {
        components[i].getAccessor().setAccessible(true);
        member = components[i].getAccessor().invoke(value);
      } catch (ReflectiveOperationException | RuntimeException e) {
        throw closed(e);
      }
      Object written = member == null ? null : members.get(i).write(member);
      if (written != null || !members.get(i).optional()) {
        map.put(components[i].getName(), written);
      }
    }
    return map;
  }

  private LlamaException closed(Exception cause) {
    return new LlamaException(
        "expected access to the record %s, found none: let its module open the package %s to org.llamaj.core"
            .formatted(type.getName(), type.getPackageName()),
        cause);
  }
}
