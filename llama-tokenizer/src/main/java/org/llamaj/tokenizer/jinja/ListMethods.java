package org.llamaj.tokenizer.jinja;

import java.util.List;

/** The methods of lists and tuples that change nothing. */
final class ListMethods {
  private ListMethods() {}

  static Callable method(List<?> list, String name, Budget budget) {
    return switch (name) {
      case "index" ->
          arguments -> {
            Object item = arguments.require(0, "value");
            for (int i = 0; i < list.size(); i++) {
              if (Values.equal(list.get(i), item, budget)) {
                return (long) i;
              }
            }
            throw JinjaException.runtime("ValueError: value is not in list");
          };
      case "count" ->
          arguments -> {
            Object item = arguments.require(0, "value");
            return list.stream().filter(other -> Values.equal(other, item, budget)).count();
          };
      case "copy" -> arguments -> list;
      default -> null;
    };
  }
}
