package org.llamaj.tokenizer.huggingface;

import java.util.Optional;
import java.util.Set;

/**
 * What the files beside a {@code tokenizer.json} say.
 *
 * @param bos the token that begins a sequence, if named
 * @param eos the token that ends a sequence, if named
 * @param addsBos whether texts begin with {@code bos}, if it is not the template that decides
 * @param addsEos whether texts end with {@code eos}, if it is not the template that decides
 * @param ends tokens at which generation stops
 * @param vocabularySize how many ids there are at least
 */
record SequenceSettings(
    Optional<String> bos,
    Optional<String> eos,
    Optional<Boolean> addsBos,
    Optional<Boolean> addsEos,
    Set<Integer> ends,
    int vocabularySize) {

  /** There are no other files. */
  static final SequenceSettings NONE =
      new SequenceSettings(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Set.of(), 0);
}
