package org.llamaj.tokenizer.jinja;

import java.util.HashMap;
import java.util.Map;

/** All filters by name. */
final class Filters {
  /** What a filter does to a value. */
  interface Filter {
    Object apply(Object value, Arguments arguments, Budget budget);
  }

  private static final Map<String, Filter> FILTERS = new HashMap<>();

  static {
    TextFilters.addTo(FILTERS);
    NumberFilters.addTo(FILTERS);
    SequenceFilters.addTo(FILTERS);
    SelectionFilters.addTo(FILTERS);
  }

  private Filters() {}

  static boolean exists(String name) {
    return FILTERS.containsKey(name);
  }

  static Object apply(String name, Object value, Arguments arguments, Budget budget) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw JinjaException.runtime("No filter named '%s'.".formatted(name));
    }
    return filter.apply(value, arguments, budget);
  }
}
