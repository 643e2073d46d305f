package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that choose: between values, among the items of a list, or a member of each. */
final class SelectionFilters {
  private SelectionFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    for (String name : new String[] {"default", "d"}) {
      filters.put(
          name,
          (value, arguments, budget) ->
              value instanceof Undefined
                      || arguments.truth(1, "boolean", false) && !Values.truth(value)
                  ? arguments.get(0, "default_value", "")
                  : value);
    }
    filters.put("map", SelectionFilters::map);
    filters.put(
        "attr",
        (value, arguments, budget) ->
            Members.attribute(value, arguments.requireString(0, "name"), budget));
    filters.put("select", (value, arguments, budget) -> select(value, arguments, 0, true, budget));
    filters.put("reject", (value, arguments, budget) -> select(value, arguments, 0, false, budget));
    filters.put(
        "selectattr", (value, arguments, budget) -> select(value, arguments, 1, true, budget));
    filters.put(
        "rejectattr", (value, arguments, budget) -> select(value, arguments, 1, false, budget));
  }

  /** A member of an item by name, number, or path with dots; the item itself for null. */
  static Object attribute(Object item, Object attribute, Budget budget) {
    if (attribute == null) {
      return item;
    }
    if (!(attribute instanceof String path)) {
      return Members.item(item, attribute, budget);
    }
    Object value = item;
    for (String name : path.split("\\.")) {
      value =
          Members.item(
              value, name.matches("\\d{1,9}") ? (Object) Long.valueOf(name) : name, budget);
    }
    return value;
  }

  private static Object map(Object value, Arguments arguments, Budget budget) {
    List<Object> result = new ArrayList<>();
    if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
      Object attribute = arguments.named().get("attribute");
      Object otherwise = arguments.named().get("default");
      for (Object item : Values.items(value)) {
        Object member = attribute(item, attribute, budget);
        result.add(member instanceof Undefined && otherwise != null ? otherwise : member);
      }
      return result;
    }
    String filter = arguments.requireString(0, "filter");
    Arguments rest = from(arguments, 1);
    for (Object item : Values.items(value)) {
      result.add(Filters.apply(filter, item, rest, budget));
    }
    return result;
  }

  private static Object select(
      Object value, Arguments arguments, int testAt, boolean wanted, Budget budget) {
    Object attribute = testAt == 0 ? null : arguments.require(0, "attribute");
    boolean hasTest = arguments.positional().size() > testAt;
    String test = hasTest ? arguments.requireString(testAt, "test") : "";
    Arguments rest = from(arguments, testAt + 1);
    List<Object> result = new ArrayList<>();
    for (Object item : Values.items(value)) {
      Object subject = attribute(item, attribute, budget);
      boolean holds = hasTest ? Tests.apply(test, subject, rest, budget) : Values.truth(subject);
      if (holds == wanted) {
        result.add(item);
      }
    }
    return result;
  }

  private static Arguments from(Arguments arguments, int first) {
    List<Object> positional = arguments.positional();
    return new Arguments(
        positional.subList(Math.min(first, positional.size()), positional.size()),
        arguments.named());
  }
}
