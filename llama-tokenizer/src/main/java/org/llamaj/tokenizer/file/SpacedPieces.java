package org.llamaj.tokenizer.file;

/** How SentencePiece writes pieces: U+2581 for a space, {@code <0x0A>} for a byte. */
public final class SpacedPieces {
  private static final char SPACE = '\u2581';

  private SpacedPieces() {}

  /** The text of a piece. */
  public static String unescape(String piece) {
    return piece.replace(SPACE, ' ');
  }

  /** The byte that a piece stands for, or -1 if it stands for none. */
  public static int byteValue(String piece) {
    if (piece.length() != 6 || !piece.startsWith("<0x") || piece.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(piece.charAt(3), 16);
    int low = Character.digit(piece.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
