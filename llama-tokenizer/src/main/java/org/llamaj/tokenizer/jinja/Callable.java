package org.llamaj.tokenizer.jinja;

/** A function, method or macro. */
interface Callable {
  /** Calls it. */
  Object call(Arguments arguments);
}
