package org.llamaj.schema;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A map with texts or the constants of an enum as keys.
 *
 * @param keys the enum; null for texts
 * @param value the shape of the values
 */
record MapShape(EnumShape keys, Shape value) implements Shape {
  @Override
  public Map<String, Object> schema() {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    if (keys == null) {
      schema.put("additionalProperties", value.schema());
    } else {
      Map<String, Object> properties = new LinkedHashMap<>();
      keys.names().forEach(name -> properties.put(name, value.schema()));
      schema.put("properties", properties);
    }
    return schema;
  }

  @Override
  public Object read(Object json, String path) {
    if (!(json instanceof Map<?, ?> map)) {
      throw Shape.expected("an object", json, path);
    }
    Map<Object, Object> result = new LinkedHashMap<>();
    map.forEach(
        (key, one) ->
            result.put(
                keys == null ? key : keys.read(key, path), value.read(one, path + "." + key)));
    return Collections.unmodifiableMap(result);
  }

  @Override
  public Object write(Object written) {
    Map<String, Object> result = new LinkedHashMap<>();
    ((Map<?, ?>) written)
        .forEach(
            (key, one) ->
                result.put(
                    keys == null ? key.toString() : keys.write(key).toString(), value.write(one)));
    return result;
  }
}
