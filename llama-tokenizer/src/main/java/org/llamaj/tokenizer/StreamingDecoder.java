package org.llamaj.tokenizer;

/**
 * Turns the ids of one sequence into text as they arrive. Bytes that may still become a character
 * are held back, so the pieces are always whole characters; bytes that can no longer become one
 * appear as U+FFFD, one for each maximal invalid part (Unicode, chapter 3.9). The pieces put
 * together are what {@link Tokenizer#decode(int...)} gives for all ids at once.
 *
 * <p>A decoder belongs to one sequence and one thread.
 */
public interface StreamingDecoder {
  /**
   * Takes the next id.
   *
   * @param id a token id
   * @return the characters that are now complete; may be empty
   * @throws TokenizerException if the vocabulary has no such id
   */
  String accept(int id);

  /**
   * Ends the sequence. The decoder is then as new.
   *
   * @return U+FFFD for the bytes that were held back; empty if there were none
   */
  String finish();
}
