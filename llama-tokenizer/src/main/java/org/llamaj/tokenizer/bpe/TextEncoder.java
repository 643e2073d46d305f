package org.llamaj.tokenizer.bpe;

/** Encodes plain text. Immutable apart from its cache of words, and safe for many threads. */
public sealed interface TextEncoder permits ByteEncoder, CharacterEncoder, PipelineEncoder {
  /** The merge rules that the workspace of {@link #encode} needs. */
  MergeTable rules();

  /**
   * Encodes a part of a text that has no special token in it, and adds its ids to the workspace.
   *
   * @param text any text
   * @param from where the part starts
   * @param to where it ends, more than {@code from}
   * @param work the work space, with no current piece
   */
  void encode(CharSequence text, int from, int to, Workspace work);

  /** Whether a character has neither a token nor bytes that have. */
  boolean isUnknown(int codePoint);

  /** Whether the ids of a part begin with a space that the text does not have. */
  boolean addsSpace(CharSequence text, int from);

  /**
   * Refuses what needs the bytes of the tokens to be the bytes of the text.
   *
   * @throws org.llamaj.tokenizer.TokenizerException if this encoder changes the text
   */
  void requireLossless();
}
