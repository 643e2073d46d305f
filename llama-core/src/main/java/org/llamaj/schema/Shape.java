package org.llamaj.schema;

import java.util.Map;
import org.llamaj.LlamaException;

/** How the values of a Java type look in JSON. JSON values are maps, lists, strings and so on. */
interface Shape {
  /** The JSON Schema; a new map, to which a description may be added. */
  Map<String, Object> schema();

  /**
   * Makes a Java value.
   *
   * @param json what the JSON text holds
   * @param path where it was, for messages
   */
  Object read(Object json, String path);

  /** Makes a JSON value. */
  Object write(Object value);

  /** Whether a property may be missing. */
  default boolean optional() {
    return false;
  }

  static LlamaException expected(String what, Object found, String path) {
    return new LlamaException("%s: expected %s, found %s".formatted(path, what, found));
  }
}
