package org.llamaj.kernel.x86.assembler;

/** When a conditional jump is taken, after CMP a, b. */
public enum Condition {
  /** a below b, unsigned. */
  BELOW(2),
  /** a at least b, unsigned. */
  NOT_BELOW(3),
  /** a equals b; after arithmetic: the result is zero. */
  EQUAL(4),
  /** a differs from b; after arithmetic: the result is not zero. */
  NOT_EQUAL(5),
  /** a less than b, signed. */
  LESS(12),
  /** a at least b, signed. */
  NOT_LESS(13),
  /** a at most b, signed. */
  NOT_GREATER(14),
  /** a greater than b, signed. */
  GREATER(15);

  final int code;

  Condition(int code) {
    this.code = code;
  }
}
