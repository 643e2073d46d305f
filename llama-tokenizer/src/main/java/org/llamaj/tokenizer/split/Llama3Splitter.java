package org.llamaj.tokenizer.split;

import static org.llamaj.tokenizer.split.CodePoints.LETTER;
import static org.llamaj.tokenizer.split.CodePoints.NEWLINE;
import static org.llamaj.tokenizer.split.CodePoints.NUMBER;
import static org.llamaj.tokenizer.split.CodePoints.classesAt;
import static org.llamaj.tokenizer.split.CodePoints.lengthAt;

/** The split expression of Llama 3, scanned by hand; its alternatives in their order. */
public final class Llama3Splitter implements Splitter {
  /** The expression as Meta and Hugging Face files write it. */
  public static final String PATTERN =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  @Override
  public int wordEnd(byte[] utf8, int from, int limit) {
    int classes = classesAt(utf8, from);
    int next = from + lengthAt(utf8, from);
    if ((classes & LETTER) != 0) {
      return letters(utf8, next, limit);
    }
    if ((classes & NUMBER) != 0) {
      return WordShapes.digits(utf8, from, limit);
    }
    if (utf8[from] == '\'') {
      int end = WordShapes.contraction(utf8, from, limit);
      if (end > 0) {
        return end;
      }
    }
    if ((classes & NEWLINE) == 0 && next < limit && (classesAt(utf8, next) & LETTER) != 0) {
      return letters(utf8, next + lengthAt(utf8, next), limit);
    }
    int end = WordShapes.symbols(utf8, from, limit);
    if (end < 0) {
      return WordShapes.whitespace(utf8, from, limit);
    }
    while (end < limit && (utf8[end] == '\r' || utf8[end] == '\n')) {
      end++;
    }
    return end;
  }

  @Override
  public int maxRun() {
    return WordShapes.LLAMA_MAX_RUN;
  }

  private static int letters(byte[] utf8, int from, int limit) {
    int at = from;
    while (at < limit && (classesAt(utf8, at) & LETTER) != 0) {
      at += lengthAt(utf8, at);
    }
    return at;
  }
}
