package org.llamaj.tokenizer;

/** What becomes of special tokens when ids are turned back into text. */
public enum SpecialText {
  /** They appear as they are written, for example {@code <|eot_id|>}. */
  SHOW,
  /** They leave no text. */
  SKIP
}
