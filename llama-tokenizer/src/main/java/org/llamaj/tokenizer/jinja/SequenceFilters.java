package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Filters for lists, tuples, dictionaries, and the characters of strings. */
final class SequenceFilters {
  private SequenceFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    filters.put("length", (value, arguments, budget) -> Values.length(value));
    filters.put("count", (value, arguments, budget) -> Values.length(value));
    filters.put("list", (value, arguments, budget) -> Values.items(value));
    filters.put("first", (value, arguments, budget) -> end(Values.items(value), true));
    filters.put("last", (value, arguments, budget) -> end(Values.items(value), false));
    filters.put("join", SequenceFilters::join);
    filters.put("sum", SequenceFilters::sum);
    filters.put("min", (value, arguments, budget) -> extreme(value, arguments, budget, -1));
    filters.put("max", (value, arguments, budget) -> extreme(value, arguments, budget, 1));
    filters.put("sort", SequenceFilters::sort);
    filters.put("unique", SequenceFilters::unique);
    filters.put("reverse", SequenceFilters::reverse);
    filters.put("batch", SequenceFilters::batch);
    filters.put("slice", SequenceFilters::slice);
    filters.put("groupby", SequenceFilters::groupBy);
    filters.put("items", SequenceFilters::mapItems);
    filters.put("dictsort", SequenceFilters::sortedItems);
  }

  private static Object end(List<Object> items, boolean first) {
    if (items.isEmpty()) {
      return new Undefined(
          JinjaException.Kind.UNDEFINED,
          "No %s item, sequence was empty.".formatted(first ? "first" : "last"));
    }
    return first ? items.getFirst() : items.getLast();
  }

  private static Object join(Object value, Arguments arguments, Budget budget) {
    String separator = Printer.str(arguments.get(0, "d", ""));
    Object attribute = arguments.get(1, "attribute", null);
    List<Object> parts = new ArrayList<>();
    for (Object item : Values.items(value)) {
      parts.add(Printer.str(SelectionFilters.attribute(item, attribute, budget)));
    }
    return StringMethods.join(separator, parts, budget);
  }

  private static Object sum(Object value, Arguments arguments, Budget budget) {
    Object attribute = arguments.get(0, "attribute", null);
    Object sum = arguments.get(1, "start", 0L);
    for (Object item : Values.items(value)) {
      sum = Numbers.calculate("+", sum, SelectionFilters.attribute(item, attribute, budget));
    }
    return sum;
  }

  private static Object extreme(Object value, Arguments arguments, Budget budget, int sign) {
    Object best = null;
    boolean caseSensitive = arguments.truth(0, "case_sensitive", false);
    Object attribute = arguments.get(1, "attribute", null);
    List<Object> items = Values.items(value);
    if (items.isEmpty()) {
      return end(items, true);
    }
    boolean first = true;
    for (Object item : items) {
      if (first
          || sign
                  * Values.compare(
                      key(item, attribute, caseSensitive, budget),
                      key(best, attribute, caseSensitive, budget),
                      budget)
              > 0) {
        best = item;
        first = false;
      }
    }
    return best;
  }

  private static Object sort(Object value, Arguments arguments, Budget budget) {
    boolean reverse = arguments.truth(0, "reverse", false);
    boolean caseSensitive = arguments.truth(1, "case_sensitive", false);
    Object attribute = arguments.get(2, "attribute", null);
    List<Object> items = Values.items(value);
    sort(items, attribute, caseSensitive, reverse, budget);
    return items;
  }

  private static void sort(
      List<Object> items, Object attribute, boolean caseSensitive, boolean reverse, Budget budget) {
    items.sort(
        (a, b) -> {
          int order =
              Values.compare(
                  key(a, attribute, caseSensitive, budget),
                  key(b, attribute, caseSensitive, budget),
                  budget);
          return reverse ? -order : order;
        });
  }

  private static Object key(Object item, Object attribute, boolean caseSensitive, Budget budget) {
    Object key = SelectionFilters.attribute(item, attribute, budget);
    return !caseSensitive && key instanceof String text ? text.toLowerCase(Locale.ROOT) : key;
  }

  private static Object unique(Object value, Arguments arguments, Budget budget) {
    boolean caseSensitive = arguments.truth(0, "case_sensitive", false);
    Object attribute = arguments.get(1, "attribute", null);
    List<Object> seen = new ArrayList<>();
    List<Object> result = new ArrayList<>();
    for (Object item : Values.items(value)) {
      Object key = key(item, attribute, caseSensitive, budget);
      if (!Values.contains(seen, key, budget)) {
        seen.add(key);
        result.add(item);
      }
    }
    return result;
  }

  private static Object reverse(Object value, Arguments arguments, Budget budget) {
    if (value instanceof String text) {
      return new StringBuilder(text).reverse().toString();
    }
    List<Object> items = Values.items(value);
    Collections.reverse(items);
    return items;
  }

  private static Object batch(Object value, Arguments arguments, Budget budget) {
    int size = Math.max(1, arguments.integer(0, "linecount", 1));
    Object fill = arguments.get(1, "fill_with", null);
    List<Object> items = Values.items(value);
    List<Object> batches = new ArrayList<>();
    for (int at = 0; at < items.size(); at += size) {
      List<Object> batch = new ArrayList<>(items.subList(at, Math.min(items.size(), at + size)));
      while (fill != null && batch.size() < Budget.size(size, Budget.MOST_ITEMS)) {
        batch.add(fill);
      }
      batches.add(batch);
    }
    return batches;
  }

  private static Object slice(Object value, Arguments arguments, Budget budget) {
    int slices = Budget.size(Math.max(1, arguments.integer(0, "slices", 1)), Budget.MOST_ITEMS);
    Object fill = arguments.get(1, "fill_with", null);
    List<Object> items = Values.items(value);
    int each = items.size() / slices;
    int longer = items.size() % slices;
    List<Object> result = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < slices; i++) {
      int size = each + (i < longer ? 1 : 0);
      List<Object> slice = new ArrayList<>(items.subList(at, at + size));
      at += size;
      if (fill != null && i >= longer) {
        slice.add(fill);
      }
      result.add(slice);
    }
    return result;
  }

  private static Object groupBy(Object value, Arguments arguments, Budget budget) {
    Object attribute = arguments.require(0, "attribute");
    boolean caseSensitive = arguments.truth(2, "case_sensitive", false);
    List<Object> items = Values.items(value);
    sort(items, attribute, caseSensitive, false, budget);
    List<Object> groups = new ArrayList<>();
    List<Object> group = new ArrayList<>();
    Object previous = null;
    for (Object item : items) {
      Object key = key(item, attribute, caseSensitive, budget);
      if (groups.isEmpty() || !Values.equal(key, previous, budget)) {
        group = new ArrayList<>();
        groups.add(Tuple.of(SelectionFilters.attribute(item, attribute, budget), group));
        previous = key;
      }
      group.add(item);
    }
    return groups;
  }

  private static Object mapItems(Object value, Arguments arguments, Budget budget) {
    if (value instanceof Undefined) {
      return new ArrayList<>();
    }
    return MapMethods.items(requireMap(value));
  }

  private static Object sortedItems(Object value, Arguments arguments, Budget budget) {
    boolean caseSensitive = arguments.truth(0, "case_sensitive", false);
    long part = arguments.string(1, "by", "key").equals("value") ? 1 : 0;
    List<Object> items = MapMethods.items(requireMap(value));
    sort(items, part, caseSensitive, arguments.truth(2, "reverse", false), budget);
    return items;
  }

  private static Map<?, ?> requireMap(Object value) {
    Undefined.require(value);
    if (!(value instanceof Map<?, ?> map)) {
      throw JinjaException.runtime("TypeError: Can only get item pairs from a mapping.");
    }
    return map;
  }
}
