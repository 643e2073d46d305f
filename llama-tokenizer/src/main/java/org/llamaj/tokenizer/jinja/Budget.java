package org.llamaj.tokenizer.jinja;

import java.time.Duration;

/** What a rendering may use up. */
final class Budget {
  /** More characters than any prompt, in one string as in the output. */
  static final int MOST_CHARACTERS = 1 << 26;

  /** More items than any list of a template. */
  static final int MOST_ITEMS = 1 << 20;

  private static final int DEEPEST = 150;

  /** More than what is done between two looks at the clock: a machine that slept did nothing. */
  private static final long MOST_NANOS_AT_ONCE = 100_000_000;

  private final Duration time;
  private long nanosLeft;
  private long lastLook = System.nanoTime();
  private int steps;
  private int depth;

  Budget(Duration time) {
    this.time = time;
    this.nanosLeft = time.toNanos();
  }

  /** Counts one step of the interpreter. */
  void step() {
    if ((++steps & 0x3ff) == 0) {
      checkTime();
    }
  }

  /** Counts work on some characters or items. */
  void work(int amount) {
    steps += amount >> 4;
    if (amount > 1 << 14) {
      checkTime();
    }
    step();
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw JinjaException.runtime("macros and loops nested more than %d deep".formatted(DEEPEST));
    }
  }

  void leave() {
    depth--;
  }

  /** Refuses a string or list that would be too long. */
  static int size(long size, int most) {
    if (size > most) {
      throw JinjaException.runtime("a value of more than %d characters or items".formatted(most));
    }
    return (int) size;
  }

  private void checkTime() {
    long now = System.nanoTime();
    nanosLeft -= Math.min(now - lastLook, MOST_NANOS_AT_ONCE);
    lastLook = now;
    if (nanosLeft < 0) {
      throw JinjaException.runtime("the template takes longer than " + time);
    }
  }
}
