package org.llamaj.tokenizer.jinja;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The functions that every template has. */
final class Globals {
  /** The sandbox of Jinja allows no longer ranges either. */
  private static final int LONGEST_RANGE = 100_000;

  private Globals() {}

  static void addTo(Scope scope, Supplier<LocalDateTime> clock) {
    scope.set("range", (Callable) Globals::range);
    scope.set("dict", (Callable) Globals::dict);
    scope.set("namespace", (Callable) arguments -> new Namespace(dict(arguments)));
    scope.set("cycler", (Callable) arguments -> new Cycler(arguments.positional()));
    scope.set("joiner", (Callable) Globals::joiner);
    scope.set(
        "lipsum",
        (Callable)
            arguments -> {
              throw JinjaException.runtime("lipsum is not supported");
            });
    scope.set(
        "raise_exception",
        (Callable)
            arguments -> {
              throw new JinjaException(
                  JinjaException.Kind.RAISED, Printer.str(arguments.require(0, "message")));
            });
    scope.set(
        "strftime_now",
        (Callable) arguments -> Strftime.format(arguments.requireString(0, "format"), clock.get()));
  }

  private static Object range(Arguments arguments) {
    List<Object> numbers = arguments.positional();
    arguments.require(0, "stop");
    int start = numbers.size() > 1 ? Numbers.index(numbers.get(0)) : 0;
    int stop = Numbers.index(numbers.get(numbers.size() > 1 ? 1 : 0));
    int step = numbers.size() > 2 ? Numbers.index(numbers.get(2)) : 1;
    if (step == 0) {
      throw JinjaException.runtime("ValueError: range() arg 3 must not be zero");
    }
    long size = Math.max(0, Math.ceilDiv((long) stop - start, (long) step));
    Budget.size(size, LONGEST_RANGE);
    List<Object> range = new ArrayList<>((int) size);
    for (long i = 0; i < size; i++) {
      range.add(start + i * step);
    }
    return range;
  }

  private static Map<String, Object> dict(Arguments arguments) {
    Map<String, Object> dict = new LinkedHashMap<>();
    for (Object positional : arguments.positional()) {
      if (positional instanceof Map<?, ?> map) {
        map.forEach((key, value) -> dict.put(Printer.str(key), value));
      } else {
        for (Object pair : Values.items(positional)) {
          List<Object> both = Values.items(pair);
          if (both.size() != 2) {
            throw JinjaException.runtime("ValueError: dict() needs pairs");
          }
          dict.put(Printer.str(both.getFirst()), both.getLast());
        }
      }
    }
    dict.putAll(arguments.named());
    return dict;
  }

  private static Object joiner(Arguments arguments) {
    String separator = arguments.string(0, "sep", ", ");
    boolean[] used = {false};
    return (Callable)
        none -> {
          String text = used[0] ? separator : "";
          used[0] = true;
          return text;
        };
  }

  /** Gives one value after another, round and round. */
  private static final class Cycler implements HasMembers {
    private final List<Object> values;
    private int at;

    Cycler(List<Object> values) {
      if (values.isEmpty()) {
        throw JinjaException.runtime("RuntimeError: at least one item has to be provided");
      }
      this.values = values;
    }

    @Override
    public Object member(String name) {
      return switch (name) {
        case "current" -> values.get(at);
        case "next" ->
            (Callable)
                arguments -> {
                  Object value = values.get(at);
                  at = (at + 1) % values.size();
                  return value;
                };
        case "reset" ->
            (Callable)
                arguments -> {
                  at = 0;
                  return null;
                };
        default -> null;
      };
    }
  }
}
