package org.llamaj;

/** How one vector is made of the final states of all tokens of a text. */
public enum Pooling {
  /** Their mean. */
  MEAN,
  /** The last token's, the only one that has seen the whole text. */
  LAST,
  /** The first token's, for models that were trained so. */
  CLS
}
