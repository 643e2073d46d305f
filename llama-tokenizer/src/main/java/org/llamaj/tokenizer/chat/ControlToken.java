package org.llamaj.tokenizer.chat;

import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** A special token that a format needs. */
record ControlToken(int id, String text) {
  /** The first of some names that the vocabulary has. */
  static ControlToken of(Tokenizer tokenizer, String format, String... names) {
    for (String name : names) {
      var id = tokenizer.special(name);
      if (id.isPresent()) {
        return new ControlToken(id.getAsInt(), name);
      }
    }
    throw new TokenizerException(
        "The chat format of %s needs the token %s, which the vocabulary does not have"
            .formatted(format, String.join(" or ", names)));
  }
}
