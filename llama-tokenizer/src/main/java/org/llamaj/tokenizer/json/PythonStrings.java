package org.llamaj.tokenizer.json;

import org.llamaj.tokenizer.split.CodePoints;

/** What Python's string methods do; the models have read text that these were applied to. */
public final class PythonStrings {
  private PythonStrings() {}

  /**
   * Removes white space at both ends, all that {@code str.isspace} is true for: more than the JDK
   * counts as white space.
   *
   * @param text any text
   * @return the text without it
   */
  public static String strip(String text) {
    return stripStart(stripEnd(text));
  }

  /**
   * Removes white space at the start.
   *
   * @param text any text
   * @return the text without it
   */
  public static String stripStart(String text) {
    int start = 0;
    while (start < text.length() && CodePoints.isPythonSpace(text.charAt(start))) {
      start++;
    }
    return text.substring(start);
  }

  /**
   * Removes white space at the end.
   *
   * @param text any text
   * @return the text without it
   */
  public static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && CodePoints.isPythonSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }
}
