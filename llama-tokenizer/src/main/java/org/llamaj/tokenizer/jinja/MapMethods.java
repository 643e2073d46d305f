package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The methods of dictionaries that change nothing. */
final class MapMethods {
  private MapMethods() {}

  static Callable method(Map<?, ?> map, String name) {
    return switch (name) {
      case "get" ->
          arguments -> {
            Object key = arguments.require(0, "key");
            return map.containsKey(key) ? map.get(key) : arguments.get(1, "default", null);
          };
      case "keys" -> arguments -> new ArrayList<Object>(map.keySet());
      case "values" -> arguments -> new ArrayList<Object>(map.values());
      case "items" -> arguments -> items(map);
      case "copy" -> arguments -> map;
      default -> null;
    };
  }

  /** The entries as pairs. */
  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>(map.size());
    map.forEach((key, value) -> items.add(Tuple.of(key, value)));
    return items;
  }
}
