package org.llamaj.tokenizer.chat;

import java.util.List;
import org.llamaj.tokenizer.json.PythonStrings;

/** The control tokens around and within the model's answers, as text. */
final class AnswerMarkers {
  static final String PYTHON_TAG = "<|python_tag|>";
  static final String PYTHON_START = "<|python_start|>";
  static final String PYTHON_END = "<|python_end|>";

  /** What an answer can begin with that is no part of it. */
  static final List<String> HEADERS =
      List.of(
          "<|start_header_id|>assistant<|end_header_id|>",
          "<|header_start|>assistant<|header_end|>");

  private static final List<String> ENDS =
      List.of("<|eot_id|>", "<|eom_id|>", "<|eot|>", "<|eom|>", "<|end_of_text|>");

  private AnswerMarkers() {}

  /** A text without the tokens that end it. */
  static String withoutEnd(String text) {
    for (String end : ENDS) {
      if (text.endsWith(end)) {
        return withoutEnd(text.substring(0, text.length() - end.length()));
      }
    }
    String stripped = PythonStrings.stripEnd(text);
    for (String end : ENDS) {
      if (stripped.endsWith(end)) {
        return withoutEnd(stripped);
      }
    }
    return text;
  }

  /** Where the last part of a text begins that may still become a marker, or already is one. */
  static int heldBackFrom(String text) {
    int at = text.length();
    for (int i = Math.max(0, text.length() - 64); i < text.length(); i++) {
      if (text.charAt(i) == '<' && mayBecomeMarker(text.substring(i))) {
        return i;
      }
    }
    return at;
  }

  private static boolean mayBecomeMarker(String tail) {
    if (PYTHON_TAG.startsWith(tail)
        || PYTHON_START.startsWith(tail)
        || FunctionTags.OPEN.startsWith(tail)) {
      return true;
    }
    String rest = tail;
    while (!rest.isEmpty()) {
      String before = rest;
      for (String end : ENDS) {
        if (end.startsWith(rest)) {
          return true;
        }
        if (rest.startsWith(end)) {
          rest = PythonStrings.stripStart(rest.substring(end.length()));
        }
      }
      if (rest.equals(before)) {
        return false;
      }
    }
    return true;
  }
}
