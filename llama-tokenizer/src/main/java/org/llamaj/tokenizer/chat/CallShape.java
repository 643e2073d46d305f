package org.llamaj.tokenizer.chat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells from its beginning whether an answer can be a call. */
enum CallShape {
  /** It begins like a call. */
  CALL,
  /** It cannot be a call. */
  TEXT,
  /** More of it is needed. */
  UNKNOWN;

  private static final Pattern NAME =
      Pattern.compile("\\[\\s*([\\p{L}_][\\p{L}\\p{N}_]{0,200})\\s*");
  private static final Pattern BUILT_IN =
      Pattern.compile("(?:brave_search|wolfram_alpha|photogen)\\.call\\(");
  private static final Pattern KEY = Pattern.compile("\\{\\s*\"([^\"\\\\]{0,40})\"");
  private static final Pattern KNOWN_KEY =
      Pattern.compile("type|name|parameters|arguments|function|id");

  static CallShape of(String text) {
    return switch (text.charAt(0)) {
      case '[' -> list(text);
      case '{' -> object(text);
      default -> {
        Matcher builtIn = BUILT_IN.matcher(text);
        yield builtIn.lookingAt() ? CALL : builtIn.hitEnd() ? UNKNOWN : TEXT;
      }
    };
  }

  /** Whether a list is one of Python calls rather than of JSON objects. */
  static boolean isPython(String text) {
    return NAME.matcher(text).lookingAt();
  }

  static boolean isBuiltIn(String text) {
    return BUILT_IN.matcher(text).lookingAt();
  }

  private static CallShape list(String text) {
    int first = firstVisible(text);
    if (first < 0) {
      return UNKNOWN;
    }
    if (text.charAt(first) == '{') {
      return object(text.substring(first));
    }
    Matcher name = NAME.matcher(text);
    if (!name.lookingAt()) {
      return TEXT;
    }
    return name.end() == text.length() ? UNKNOWN : text.charAt(name.end()) == '(' ? CALL : TEXT;
  }

  private static CallShape object(String text) {
    Matcher key = KEY.matcher(text);
    if (key.lookingAt()) {
      return KNOWN_KEY.matcher(key.group(1)).matches() ? CALL : TEXT;
    }
    return key.hitEnd() ? UNKNOWN : TEXT;
  }

  private static int firstVisible(String text) {
    for (int i = 1; i < text.length(); i++) {
      if (" \t\r\n".indexOf(text.charAt(i)) < 0) {
        return i;
      }
    }
    return -1;
  }
}
