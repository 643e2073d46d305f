package org.llamaj.tokenizer.jinja;

import java.util.List;

/** The variable {@code loop}. */
final class LoopState implements HasMembers, Callable {
  private final List<Object> items;
  private final int depth;
  private final Callable recursion;
  private final Budget budget;
  private int index;
  private Object lastChanged = this;

  /**
   * Starts before the first item.
   *
   * @param items all items
   * @param depth 0 for a loop that is not called by itself
   * @param recursion what calling {@code loop} does, or null if the loop is not recursive
   */
  LoopState(List<Object> items, int depth, Callable recursion, Budget budget) {
    this.items = items;
    this.depth = depth;
    this.recursion = recursion;
    this.budget = budget;
  }

  void at(int newIndex) {
    index = newIndex;
  }

  @Override
  public Object member(String name) {
    int size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) size - index;
      case "revindex0" -> size - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> (long) size;
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" -> index > 0 ? items.get(index - 1) : Undefined.variable("previtem");
      case "nextitem" -> index + 1 < size ? items.get(index + 1) : Undefined.variable("nextitem");
      case "cycle" ->
          (Callable)
              arguments -> {
                List<Object> values = arguments.positional();
                if (values.isEmpty()) {
                  throw JinjaException.runtime("TypeError: no items for cycling given");
                }
                return values.get(index % values.size());
              };
      case "changed" -> (Callable) this::changed;
      default -> null;
    };
  }

  private Object changed(Arguments arguments) {
    Object value = new Tuple(arguments.positional());
    boolean changed = lastChanged == this || !Values.equal(value, lastChanged, budget);
    lastChanged = value;
    return changed;
  }

  @Override
  public Object call(Arguments arguments) {
    if (recursion == null) {
      throw JinjaException.runtime("TypeError: The loop must have the 'recursive' marker");
    }
    return recursion.call(arguments);
  }
}
