package org.llamaj.tokenizer.bpe;

/**
 * A token that is found in the text itself, before anything is split or merged.
 *
 * @param id the token's id
 * @param text the token as it is written
 * @param special whether it is recognised only where special tokens are allowed
 * @param stripLeft whether it takes the white space before it with it
 * @param stripRight whether it takes the white space after it with it
 * @param singleWord whether it is recognised only where no word character is beside it
 */
public record AddedToken(
    int id,
    String text,
    boolean special,
    boolean stripLeft,
    boolean stripRight,
    boolean singleWord) {
  /** A token without the rarer properties. */
  public AddedToken(int id, String text, boolean special) {
    this(id, text, special, false, false, false);
  }
}
