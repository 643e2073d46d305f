package org.llamaj.tokenizer.json;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.llamaj.tokenizer.TokenizerException;

/**
 * Writes plain Java values as JSON the way Python's {@code json.dumps} does.
 *
 * @param ascii whether other characters than ASCII are written as {@code \}{@code u} escapes
 * @param indent what each level is indented by, or null for everything on one line
 * @param itemSeparator what stands between items
 * @param keySeparator what stands between a key and its value
 * @param sortKeys whether the keys of objects are sorted
 */
public record JsonWriter(
    boolean ascii, String indent, String itemSeparator, String keySeparator, boolean sortKeys) {
  /** Python's defaults. */
  public static final JsonWriter ASCII = new JsonWriter(true, null, ", ", ": ", false);

  private static final int DEEPEST = 500;
  private static final int LONGEST = 1 << 26;

  /**
   * Writes a value.
   *
   * @param value maps, lists, strings, numbers, booleans, null
   * @return the JSON text
   * @throws TokenizerException if the value is of another kind or too deeply nested
   */
  public String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out, 0);
    return out.toString();
  }

  private void write(Object value, StringBuilder out, int depth) {
    if (out.length() > LONGEST) {
      // Values that contain one another many times over would be written without end.
      throw new TokenizerException("A JSON text of more than %d characters".formatted(LONGEST));
    }
    if (depth > DEEPEST) {
      throw new TokenizerException("JSON values nested more than %d deep".formatted(DEEPEST));
    }
    switch (value) {
      case null -> out.append("null");
      case String text -> string(text, out);
      case Boolean b -> out.append(b.booleanValue());
      case Double number when number.isNaN() -> out.append("NaN");
      case Double number when number.isInfinite() ->
          out.append(number > 0 ? "Infinity" : "-Infinity");
      case Number number -> out.append(PythonNumbers.repr(number));
      case Map<?, ?> map -> object(map, out, depth);
      case List<?> list -> array(list, out, depth);
      default ->
          throw new TokenizerException(
              "Expected a JSON value, found a %s".formatted(value.getClass().getSimpleName()));
    }
  }

  private void object(Map<?, ?> map, StringBuilder out, int depth) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    Map<?, ?> ordered = sortKeys ? new TreeMap<>(map) : map;
    out.append('{');
    Iterator<? extends Map.Entry<?, ?>> entries = ordered.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<?, ?> entry = entries.next();
      newLine(out, depth + 1);
      string(key(entry.getKey()), out);
      out.append(keySeparator);
      write(entry.getValue(), out, depth + 1);
      if (entries.hasNext()) {
        out.append(itemSeparator);
      }
    }
    newLine(out, depth);
    out.append('}');
  }

  private void array(List<?> list, StringBuilder out, int depth) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < list.size(); i++) {
      newLine(out, depth + 1);
      write(list.get(i), out, depth + 1);
      if (i + 1 < list.size()) {
        out.append(itemSeparator);
      }
    }
    newLine(out, depth);
    out.append(']');
  }

  private static String key(Object key) {
    return switch (key) {
      case null -> "null";
      case Boolean b -> b.toString();
      case Number number -> PythonNumbers.repr(number);
      default -> key.toString();
    };
  }

  private void newLine(StringBuilder out, int depth) {
    if (indent != null) {
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void string(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || ascii && c > 0x7e) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
