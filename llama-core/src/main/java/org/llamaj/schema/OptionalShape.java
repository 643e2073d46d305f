package org.llamaj.schema;

import java.util.Map;
import java.util.Optional;

/**
 * A value that may be missing.
 *
 * @param value the shape of the value where there is one
 */
record OptionalShape(Shape value) implements Shape {
  @Override
  public Map<String, Object> schema() {
    return value.schema();
  }

  @Override
  public Object read(Object json, String path) {
    return json == null ? Optional.empty() : Optional.of(value.read(json, path));
  }

  @Override
  public Object write(Object written) {
    return ((Optional<?>) written).map(value::write).orElse(null);
  }

  @Override
  public boolean optional() {
    return true;
  }
}
