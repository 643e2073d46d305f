package org.llamaj.tokenizer.bpe;

import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokens at the ends of sequences.
 *
 * @param bos begins a sequence
 * @param eos ends a sequence
 * @param addsBos whether models expect {@code bos}
 * @param addsEos whether models expect {@code eos}
 * @param endOfGeneration all tokens at which generation stops
 */
public record SequenceTokens(
    OptionalInt bos,
    OptionalInt eos,
    boolean addsBos,
    boolean addsEos,
    Set<Integer> endOfGeneration) {
  /** Copies the set. */
  public SequenceTokens {
    endOfGeneration = Set.copyOf(endOfGeneration);
  }
}
