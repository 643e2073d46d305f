package org.llamaj.tokenizer.bpe;

import org.llamaj.tokenizer.Encoding;

/**
 * Finds the characters of each token. The bytes of the tokens of a plain text are the bytes of that
 * text, so walking over both at once is enough and encoding itself need not keep track.
 */
final class Offsets {
  private static final int SENTENCE_PIECE_SPACE = 0x2581;

  private final Vocabulary vocabulary;
  private final CharSequence text;
  private final IntList starts;
  private final IntList ends;

  Offsets(Vocabulary vocabulary, CharSequence text) {
    this.vocabulary = vocabulary;
    this.text = text;
    this.starts = new IntList(text.length() / 3);
    this.ends = new IntList(text.length() / 3);
  }

  /** Adds a token whose characters are known. */
  void add(int start, int end) {
    starts.add(start);
    ends.add(end);
  }

  /**
   * Adds the tokens of a plain part of the text.
   *
   * @param encoder what encoded the part
   * @param ids the ids so far
   * @param first the index of the part's first id
   * @param from where the part starts in the text
   * @param to where the part ends
   */
  void addPlain(TextEncoder encoder, IntList ids, int first, int from, int to) {
    int at = from;
    int bytesOfCharacter = 0;
    int skip = encoder.addsSpace(text, from) ? 1 : 0;
    for (int i = first; i < ids.size(); i++) {
      int id = ids.get(i);
      int start = at;
      if (vocabulary.type(id) == TokenType.UNKNOWN) {
        at = unknownEnd(encoder, at, to);
        add(start, at);
        continue;
      }
      int used = skip;
      skip = 0;
      while (used < vocabulary.length(id) && at < to) {
        int codePoint = Character.codePointAt(text, at);
        boolean space = codePoint == SENTENCE_PIECE_SPACE && vocabulary.byteAt(id, used) == ' ';
        int needed = space ? 1 : utf8Length(codePoint) - bytesOfCharacter;
        int there = vocabulary.length(id) - used;
        used += Math.min(there, needed);
        if (there < needed) {
          bytesOfCharacter += there;
        } else {
          bytesOfCharacter = 0;
          at += Character.charCount(codePoint);
        }
      }
      int rest = bytesOfCharacter > 0 ? Character.charCount(Character.codePointAt(text, at)) : 0;
      add(start, at + rest);
    }
  }

  /** One unknown token stands for a run of characters that have no token. */
  private int unknownEnd(TextEncoder encoder, int from, int to) {
    int at = from;
    do {
      at += Character.charCount(Character.codePointAt(text, at));
    } while (at < to && encoder.isUnknown(Character.codePointAt(text, at)));
    return at;
  }

  Encoding encoding(IntList ids) {
    return new Encoding(ids.toArray(), starts.toArray(), ends.toArray());
  }

  private static int utf8Length(int codePoint) {
    return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  }
}
