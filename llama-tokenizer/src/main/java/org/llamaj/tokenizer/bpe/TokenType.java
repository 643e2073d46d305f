package org.llamaj.tokenizer.bpe;

/** What a token is for, in the order of the numbers that SentencePiece and GGUF files use. */
public enum TokenType {
  /** A piece of text that merging can make. */
  NORMAL,
  /** Stands for text that has no token. */
  UNKNOWN,
  /** Directs the model and stands for no text. */
  CONTROL,
  /** A piece of text that is always recognised, before anything is merged. */
  USER_DEFINED,
  /** A place in the vocabulary that nothing uses. */
  UNUSED,
  /** One byte, for characters that have no token. */
  BYTE;

  private static final TokenType[] BY_NUMBER = values();

  /** The type with a number from a file, or null if there is none. */
  public static TokenType ofNumber(int number) {
    return number >= 1 && number <= 6 ? BY_NUMBER[number - 1] : null;
  }
}
