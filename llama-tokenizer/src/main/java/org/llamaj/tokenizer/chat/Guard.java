package org.llamaj.tokenizer.chat;

import java.util.List;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.AddedTokens;

/** Keeps what looks like a control token in messages from being taken for one. */
final class Guard {
  /** Unicode reserves these for uses like this one; texts do not have them. */
  private static final char FIRST = '\ufdd0';

  private static final char LAST = '\ufdef';

  private final AddedTokens tokens;
  private final char mark;

  /**
   * Chooses a mark that none of the texts has.
   *
   * @param tokens the control tokens
   * @param texts all texts that will be marked
   */
  Guard(AddedTokens tokens, List<String> texts) {
    this.tokens = tokens;
    char free = FIRST;
    while (has(texts, free)) {
      if (free++ == LAST) {
        throw new TokenizerException(
            "The conversation has all the characters U+FDD0 to U+FDEF, which Unicode reserves for"
                + " internal use");
      }
    }
    mark = free;
  }

  /** Breaks every control token in a text, and the beginning of one at its end. */
  String mark(String text) {
    StringBuilder marked = new StringBuilder(text.length());
    int from = 0;
    for (int at = tokens.lookAlike(text, 0); at >= 0; at = tokens.lookAlike(text, at + 1)) {
      marked.append(text, from, at + 1).append(mark);
      from = at + 1;
    }
    return marked.append(text, from, text.length()).toString();
  }

  /** The text as it was. */
  String unmark(String text) {
    return text.replace(String.valueOf(mark), "");
  }

  private static boolean has(List<String> texts, char c) {
    return texts.stream().anyMatch(text -> text.indexOf(c) >= 0);
  }
}
