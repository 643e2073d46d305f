package org.llamaj.tokenizer.split;

/** Cuts text into words. Implementations have no state. */
public interface Splitter {
  /**
   * Finds the end of the word that starts at an index.
   *
   * @param utf8 valid UTF-8
   * @param from the index of the first byte of a character, less than {@code limit}
   * @param limit where the text ends
   * @return the end of the word, more than {@code from} and at most {@code limit}
   */
  int wordEnd(byte[] utf8, int from, int limit);

  /**
   * The longest run of white space or of anything else, in code points, that is not cut before
   * splitting. Meta's tokenizers of Llama 3 and 4 cut there, and every 400,000 code points.
   *
   * @return the limit, or {@link Integer#MAX_VALUE} if there is none
   */
  int maxRun();
}
