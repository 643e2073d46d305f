package org.llamaj.tokenizer.split;

import static org.llamaj.tokenizer.split.CodePoints.FRONT;
import static org.llamaj.tokenizer.split.CodePoints.LETTER;
import static org.llamaj.tokenizer.split.CodePoints.NEWLINE;
import static org.llamaj.tokenizer.split.CodePoints.NUMBER;
import static org.llamaj.tokenizer.split.CodePoints.REST;
import static org.llamaj.tokenizer.split.CodePoints.classesAt;
import static org.llamaj.tokenizer.split.CodePoints.lengthAt;

/**
 * The split expression of Llama 4, scanned by hand; its alternatives in their order. Words are cut
 * where the case changes from lower to upper, and marks belong to words.
 */
public final class Llama4Splitter implements Splitter {
  /** The expression as Meta and Hugging Face files write it. */
  public static final String PATTERN =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
          + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
          + "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  @Override
  public int wordEnd(byte[] utf8, int from, int limit) {
    int classes = classesAt(utf8, from);
    if ((classes & NUMBER) != 0) {
      return WordShapes.digits(utf8, from, limit);
    }
    int end = word(utf8, from, limit, classes);
    if (end > 0) {
      int suffix = end < limit && utf8[end] == '\'' ? WordShapes.contraction(utf8, end, limit) : -1;
      return suffix > 0 ? suffix : end;
    }
    end = WordShapes.symbols(utf8, from, limit);
    if (end < 0) {
      return WordShapes.whitespace(utf8, from, limit);
    }
    while (end < limit && (utf8[end] == '\r' || utf8[end] == '\n' || utf8[end] == '/')) {
      end++;
    }
    return end;
  }

  @Override
  public int maxRun() {
    return WordShapes.LLAMA_MAX_RUN;
  }

  /** The first two alternatives without their contraction: the end, or -1. */
  private static int word(byte[] utf8, int from, int limit, int classes) {
    int prefixed = -1;
    if ((classes & (LETTER | NEWLINE)) == 0) {
      prefixed = from + lengthAt(utf8, from);
      if (prefixed == limit) {
        prefixed = -1;
      }
    }
    boolean cased = (classes & (FRONT | REST)) != 0;
    int end = prefixed > 0 ? frontThenRest(utf8, prefixed, limit) : -1;
    if (end < 0 && cased) {
      end = frontThenRest(utf8, from, limit);
    }
    if (end < 0 && prefixed > 0) {
      end = frontOnly(utf8, prefixed, limit);
    }
    if (end < 0 && cased) {
      end = frontOnly(utf8, from, limit);
    }
    return end;
  }

  /**
   * {@code FRONT*REST+}: the end, or -1. When no character after the run of FRONT is of REST, the
   * run gives back all that follows its last character that is of both.
   */
  private static int frontThenRest(byte[] utf8, int from, int limit) {
    int at = from;
    int lastOfBoth = -1;
    while (at < limit) {
      int classes = classesAt(utf8, at);
      if ((classes & FRONT) == 0) {
        if ((classes & REST) == 0) {
          break;
        }
        do {
          at += lengthAt(utf8, at);
        } while (at < limit && (classesAt(utf8, at) & REST) != 0);
        return at;
      }
      at += lengthAt(utf8, at);
      if ((classes & REST) != 0) {
        lastOfBoth = at;
      }
    }
    return lastOfBoth;
  }

  /** {@code FRONT+REST*} where {@code FRONT*REST+} does not match: the end, or -1. */
  private static int frontOnly(byte[] utf8, int from, int limit) {
    int at = from;
    while (at < limit && (classesAt(utf8, at) & FRONT) != 0) {
      at += lengthAt(utf8, at);
    }
    return at > from ? at : -1;
  }
}
