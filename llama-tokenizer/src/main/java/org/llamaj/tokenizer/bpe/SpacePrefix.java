package org.llamaj.tokenizer.bpe;

/** Where a space is put before a part of a text. */
public enum SpacePrefix {
  /** Nowhere. */
  NEVER,
  /** Before every part, that is at the start and after each special token. */
  ALWAYS,
  /** Before every part that does not begin with a space. */
  UNLESS_THERE,
  /** At the start of the whole text only, and unless it begins with a space. */
  AT_START_UNLESS_THERE;

  private static final char SENTENCE_PIECE_SPACE = '\u2581';

  boolean isAdded(CharSequence text, int from) {
    boolean there = text.charAt(from) == ' ' || text.charAt(from) == SENTENCE_PIECE_SPACE;
    return switch (this) {
      case NEVER -> false;
      case ALWAYS -> true;
      case UNLESS_THERE -> !there;
      case AT_START_UNLESS_THERE -> from == 0 && !there;
    };
  }
}
