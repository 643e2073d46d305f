package org.llamaj.tokenizer.jinja;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.json.PythonNumbers;

/** {@code str} and {@code repr}. */
final class Printer {
  private static final int DEEPEST = 200;

  private Printer() {}

  /** What a value prints as. */
  static String str(Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined undefined -> "";
      case null, default -> repr(value);
    };
  }

  /** What a value prints as within a list. */
  static String repr(Object value) {
    StringBuilder out = new StringBuilder();
    repr(value, out, 0);
    return out.toString();
  }

  private static void repr(Object value, StringBuilder out, int depth) {
    // Values that contain one another many times over would print without end.
    Budget.size(out.length(), Budget.MOST_CHARACTERS);
    if (depth > DEEPEST) {
      throw JinjaException.runtime("values nested more than %d deep".formatted(DEEPEST));
    }
    switch (value) {
      case null -> out.append("None");
      case Undefined undefined -> out.append("Undefined");
      case Boolean b -> out.append(b ? "True" : "False");
      case Number number -> out.append(PythonNumbers.repr(number));
      case String text -> string(text, out);
      case List<?> list -> list(list, out, depth);
      case Map<?, ?> map -> map(map, out, depth);
      case Namespace namespace -> {
        out.append("<Namespace ");
        map(namespace.members(), out, depth);
        out.append('>');
      }
      default -> out.append("<").append(Values.typeName(value)).append(">");
    }
  }

  private static void list(List<?> list, StringBuilder out, int depth) {
    boolean tuple = list instanceof Tuple;
    out.append(tuple ? '(' : '[');
    for (int i = 0; i < list.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      repr(list.get(i), out, depth + 1);
    }
    out.append(tuple && list.size() == 1 ? "," : "").append(tuple ? ')' : ']');
  }

  private static void map(Map<?, ?> map, StringBuilder out, int depth) {
    out.append('{');
    Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<?, ?> entry = entries.next();
      repr(entry.getKey(), out, depth + 1);
      out.append(": ");
      repr(entry.getValue(), out, depth + 1);
      out.append(entries.hasNext() ? ", " : "");
    }
    out.append('}');
  }

  private static void string(String text, StringBuilder out) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c == quote) {
            out.append('\\').appendCodePoint(c);
          } else if (isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            out.append((c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
          }
        }
      }
    }
    out.append(quote);
  }

  private static boolean isPrintable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }
}
