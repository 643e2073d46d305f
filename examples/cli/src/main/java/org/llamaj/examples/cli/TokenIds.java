package org.llamaj.examples.cli;

import java.util.Arrays;
import java.util.regex.Pattern;
import org.llamaj.LlamaException;

/** Reads lists of token ids. */
final class TokenIds {
  private static final Pattern SEPARATORS = Pattern.compile("[\\s,]+");

  private TokenIds() {}

  /**
   * Reads numbers between commas or white space, in brackets or not.
   *
   * @param text for example {@code 1,2,3} or {@code [1, 2, 3]}
   * @param source what messages call the text
   */
  static int[] parse(String text, String source) {
    String list = text.strip();
    if (list.startsWith("[") && list.endsWith("]")) {
      list = list.substring(1, list.length() - 1).strip();
    }
    if (list.isEmpty()) {
      throw new LlamaException(source + ": expected token ids, found none");
    }
    return Arrays.stream(SEPARATORS.split(list)).mapToInt(id -> parseOne(id, source)).toArray();
  }

  private static int parseOne(String id, String source) {
    try {
      int parsed = Integer.parseInt(id);
      if (parsed >= 0) {
        return parsed;
      }
    } catch (NumberFormatException e) {
      // Told below, as for a negative number.
    }
    throw new LlamaException("%s: expected token ids, found '%s'".formatted(source, id));
  }
}
