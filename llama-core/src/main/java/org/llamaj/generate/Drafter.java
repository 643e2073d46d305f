package org.llamaj.generate;

/** Guesses how a text goes on. Belongs to one generation; not thread-safe. */
public interface Drafter extends AutoCloseable {

  /** Guesses nothing. */
  Drafter NONE = (_, _, _, _) -> 0;

  /**
   * Guesses the next tokens.
   *
   * @param text token ids
   * @param length how many of them count
   * @param guesses receives the ids of the next ones
   * @param max the most guesses
   * @return how many there are
   */
  int draft(int[] text, int length, int[] guesses, int max);

  /** Ends {@link #draft} soon; may be called from any thread. */
  default void cancel() {}

  @Override
  default void close() {}
}
