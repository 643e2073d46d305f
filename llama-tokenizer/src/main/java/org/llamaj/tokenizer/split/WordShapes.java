package org.llamaj.tokenizer.split;

import static org.llamaj.tokenizer.split.CodePoints.LETTER;
import static org.llamaj.tokenizer.split.CodePoints.NEWLINE;
import static org.llamaj.tokenizer.split.CodePoints.NUMBER;
import static org.llamaj.tokenizer.split.CodePoints.SPACE;
import static org.llamaj.tokenizer.split.CodePoints.classesAt;
import static org.llamaj.tokenizer.split.CodePoints.lengthAt;

/** The alternatives that the split expressions of Llama 3 and Llama 4 have in common. */
final class WordShapes {
  /** Blocks and runs that Meta's tokenizers cut long texts into, in code points. */
  static final int LLAMA_MAX_RUN = 25_000;

  private static final int LATIN_SMALL_LONG_S_FIRST = (byte) 0xc5;
  private static final int LATIN_SMALL_LONG_S_SECOND = (byte) 0xbf;

  private WordShapes() {}

  /**
   * {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)} at an apostrophe: the end, or -1. Ignoring case also lets
   * U+017F, the long s, match.
   */
  static int contraction(byte[] utf8, int apostrophe, int limit) {
    int at = apostrophe + 1;
    if (at >= limit) {
      return -1;
    }
    switch (utf8[at] | 0x20) {
      case 's', 't', 'm', 'd':
        return at + 1;
      case 'r', 'v':
        return at + 1 < limit && (utf8[at + 1] | 0x20) == 'e' ? at + 2 : -1;
      case 'l':
        return at + 1 < limit && (utf8[at + 1] | 0x20) == 'l' ? at + 2 : -1;
      default:
        return utf8[at] == LATIN_SMALL_LONG_S_FIRST
                && at + 1 < limit
                && utf8[at + 1] == LATIN_SMALL_LONG_S_SECOND
            ? at + 2
            : -1;
    }
  }

  /** {@code \p{N}{1,3}}, the first number already found: the end. */
  static int digits(byte[] utf8, int from, int limit) {
    int at = from + lengthAt(utf8, from);
    for (int n = 1; n < 3 && at < limit && (classesAt(utf8, at) & NUMBER) != 0; n++) {
      at += lengthAt(utf8, at);
    }
    return at;
  }

  /**
   * {@code ?[^\s\p{L}\p{N}]+}, with the optional space in front: the end, or -1. What may follow
   * the symbols (line ends, slashes) is the caller's.
   */
  static int symbols(byte[] utf8, int from, int limit) {
    int at = utf8[from] == ' ' ? from + 1 : from;
    int start = at;
    while (at < limit && (classesAt(utf8, at) & (SPACE | LETTER | NUMBER)) == 0) {
      at += lengthAt(utf8, at);
    }
    return at > start ? at : -1;
  }

  /** {@code \s*[\r\n]+|\s+(?!\S)|\s+}, the first white space already found: the end. */
  static int whitespace(byte[] utf8, int from, int limit) {
    int at = from;
    int last = from;
    int newlineEnd = -1;
    while (at < limit) {
      int classes = classesAt(utf8, at);
      if ((classes & SPACE) == 0) {
        break;
      }
      last = at;
      at += lengthAt(utf8, at);
      if ((classes & NEWLINE) != 0) {
        newlineEnd = at;
      }
    }
    if (newlineEnd > 0) {
      return newlineEnd;
    }
    // The last space of a run goes with the word after it, unless it is the only one.
    return at == limit || last == from ? at : last;
  }
}
