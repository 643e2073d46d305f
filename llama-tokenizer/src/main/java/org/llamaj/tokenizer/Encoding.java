package org.llamaj.tokenizer;

/**
 * The tokens of a text with the characters they stand for: token {@code i} is {@code
 * text.substring(start(i), end(i))}.
 *
 * <p>A character can be spread over several tokens; each of them then has that character's whole
 * range, so ranges may overlap but never go back. A token without text of its own (the space that
 * SentencePiece puts in front) has an empty range.
 */
public final class Encoding {
  private final int[] ids;
  private final int[] starts;
  private final int[] ends;

  /**
   * Creates an encoding.
   *
   * @param ids the token ids
   * @param starts for each token the index of its first UTF-16 unit in the text
   * @param ends for each token the index after its last UTF-16 unit
   */
  public Encoding(int[] ids, int[] starts, int[] ends) {
    if (ids.length != starts.length || ids.length != ends.length) {
      throw new IllegalArgumentException(
          "%d ids with %d starts and %d ends".formatted(ids.length, starts.length, ends.length));
    }
    this.ids = ids.clone();
    this.starts = starts.clone();
    this.ends = ends.clone();
  }

  /**
   * How many tokens there are.
   *
   * @return the number of tokens
   */
  public int size() {
    return ids.length;
  }

  /**
   * The token ids.
   *
   * @return a new array of them
   */
  public int[] ids() {
    return ids.clone();
  }

  /**
   * The id of one token.
   *
   * @param index which token
   * @return its id
   */
  public int id(int index) {
    return ids[index];
  }

  /**
   * Where the characters of a token begin.
   *
   * @param index which token
   * @return the index of its first UTF-16 unit in the text
   */
  public int start(int index) {
    return starts[index];
  }

  /**
   * Where the characters of a token end.
   *
   * @param index which token
   * @return the index after its last UTF-16 unit in the text
   */
  public int end(int index) {
    return ends[index];
  }
}
