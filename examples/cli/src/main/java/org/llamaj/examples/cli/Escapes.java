package org.llamaj.examples.cli;

/** Makes control characters visible. */
final class Escapes {
  private Escapes() {}

  /** The text with control characters as Java writes them. */
  static String show(String text) {
    StringBuilder shown = new StringBuilder();
    text.chars().forEach(c -> append(shown, (char) c));
    return shown.toString();
  }

  /** The same in quotes, with quotes and backslashes marked. */
  static String quote(String text) {
    return '"' + show(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
  }

  private static void append(StringBuilder shown, char c) {
    switch (c) {
      case '\n' -> shown.append("\\n");
      case '\r' -> shown.append("\\r");
      case '\t' -> shown.append("\\t");
      default -> {
        if (Character.isISOControl(c)) {
          shown.append("\\u%04x".formatted((int) c));
        } else {
          shown.append(c);
        }
      }
    }
  }
}
