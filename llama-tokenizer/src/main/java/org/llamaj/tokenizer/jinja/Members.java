package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Gets at the members of values: attributes, items, slices. */
final class Members {
  private static final Set<String> CHANGING =
      Set.of(
          "append",
          "clear",
          "extend",
          "insert",
          "pop",
          "popitem",
          "remove",
          "reverse",
          "setdefault",
          "sort",
          "update");

  private Members() {}

  /** {@code target.name}: a method or other attribute, or else an item. */
  static Object attribute(Object target, String name, Budget budget) {
    Undefined.require(target);
    Object found = ownAttribute(target, name, budget);
    if (found != null) {
      return found;
    }
    return target instanceof Map<?, ?> map && map.containsKey(name)
        ? map.get(name)
        : Undefined.member(target, name);
  }

  /** {@code target[key]}: an item, or else an attribute. */
  static Object item(Object target, Object key, Budget budget) {
    Undefined.require(target);
    if (target instanceof Map<?, ?> map) {
      if (map.containsKey(key)) {
        return map.get(key);
      }
    } else if (Numbers.isInteger(key) || key instanceof Boolean) {
      int index = Numbers.index(key);
      if (target instanceof List<?> list) {
        int at = index < 0 ? index + list.size() : index;
        return at >= 0 && at < list.size() ? list.get(at) : Undefined.member(target, key);
      }
      if (target instanceof String text) {
        int length = text.codePointCount(0, text.length());
        int at = index < 0 ? index + length : index;
        return at >= 0 && at < length
            ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, at)))
            : Undefined.member(target, key);
      }
    }
    if (key instanceof String name) {
      Object found = ownAttribute(target, name, budget);
      if (found != null) {
        return found;
      }
    }
    return Undefined.member(target, key);
  }

  /** {@code target[start:stop:step]}, Python's rules for absent and negative parts. */
  static Object slice(Object target, Object start, Object stop, Object step) {
    Undefined.require(target);
    if (!(target instanceof String) && !(target instanceof List<?>)) {
      throw JinjaException.runtime(
          "TypeError: '%s' object cannot be sliced".formatted(Values.typeName(target)));
    }
    int by = step == null ? 1 : Numbers.index(step);
    if (by == 0) {
      throw JinjaException.runtime("ValueError: slice step cannot be zero");
    }
    int size = (int) Values.length(target);
    long from = bound(start, size, by > 0 ? 0 : size - 1, by);
    long to = bound(stop, size, by > 0 ? size : -1, by);
    if (target instanceof String text && by == 1) {
      int begin = text.offsetByCodePoints(0, (int) from);
      return from >= to
          ? ""
          : text.substring(begin, text.offsetByCodePoints(begin, (int) (to - from)));
    }
    List<Object> items = Values.items(target);
    List<Object> part = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      part.add(items.get((int) i));
    }
    if (target instanceof String) {
      StringBuilder text = new StringBuilder();
      part.forEach(text::append);
      return text.toString();
    }
    return target instanceof Tuple ? new Tuple(part) : part;
  }

  private static int bound(Object value, int size, int otherwise, int step) {
    if (value == null) {
      return otherwise;
    }
    long index = Numbers.index(value);
    if (index < 0) {
      index += size;
    }
    return (int) (step > 0 ? Math.clamp(index, 0, size) : Math.clamp(index, -1, size - 1L));
  }

  /** An attribute that is no item, or null. */
  private static Object ownAttribute(Object target, String name, Budget budget) {
    if (name.startsWith("_")) {
      return target instanceof Map<?, ?> map && map.containsKey(name)
          ? null
          : Undefined.unsafe(target, name);
    }
    return switch (target) {
      case Namespace namespace -> namespace.members().get(name);
      case HasMembers object -> object.member(name);
      case String text -> StringMethods.method(text, name, budget);
      case List<?> list ->
          !(target instanceof Tuple) && CHANGING.contains(name)
              ? Undefined.unsafe(target, name)
              : ListMethods.method(list, name, budget);
      case Map<?, ?> map ->
          CHANGING.contains(name) ? Undefined.unsafe(target, name) : MapMethods.method(map, name);
      case null, default -> null;
    };
  }
}
