package org.llamaj.schema;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * A list or a set.
 *
 * @param item the shape of what is in it
 * @param set whether it is a set: what comes twice counts once
 */
record CollectionShape(Shape item, boolean set) implements Shape {
  @Override
  public Map<String, Object> schema() {
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "array");
    schema.put("items", item.schema());
    return schema;
  }

  @Override
  public Object read(Object json, String path) {
    if (!(json instanceof List<?> list)) {
      throw Shape.expected("a list", json, path);
    }
    Collection<Object> items = set ? new LinkedHashSet<>() : new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      items.add(item.read(list.get(i), path + "[" + i + "]"));
    }
    return set
        ? Collections.unmodifiableSet((LinkedHashSet<Object>) items)
        : Collections.unmodifiableList((ArrayList<Object>) items);
  }

  @Override
  public Object write(Object value) {
    List<Object> list = new ArrayList<>();
    ((Collection<?>) value).forEach(one -> list.add(item.write(one)));
    return list;
  }
}
