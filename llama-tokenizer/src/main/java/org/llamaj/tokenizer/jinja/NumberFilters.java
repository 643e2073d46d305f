package org.llamaj.tokenizer.jinja;

import java.util.Map;

/** Filters that make or change numbers. */
final class NumberFilters {
  private NumberFilters() {}

  static void addTo(Map<String, Filters.Filter> filters) {
    filters.put(
        "int",
        (value, arguments, budget) ->
            Numbers.toInteger(
                value,
                arguments.get(0, "default", 0L),
                Math.clamp(arguments.integer(1, "base", 10), 2, 36)));
    filters.put(
        "float",
        (value, arguments, budget) -> Numbers.toFloat(value, arguments.get(0, "default", 0.0)));
    filters.put(
        "round",
        (value, arguments, budget) ->
            Numbers.round(
                value,
                arguments.integer(0, "precision", 0),
                arguments.string(1, "method", "common")));
    filters.put(
        "abs",
        (value, arguments, budget) ->
            Numbers.compare(value, 0L) < 0 ? Numbers.negate(value) : Numbers.plus(value));
  }
}
