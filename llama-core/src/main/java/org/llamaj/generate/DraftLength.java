package org.llamaj.generate;

/**
 * How many tokens to guess: twice as many after all were right, as many as were right and one after
 * some were; after several times without any, a pause that grows.
 */
final class DraftLength {
  private static final int PATIENCE = 3;
  private static final int LONGEST_PAUSE = 64;

  private final int max;
  private int length;
  private int failures;
  private int pause = 1;
  private int skip;

  DraftLength(int max) {
    this.max = max;
    length = Math.min(max, 4);
  }

  /** How many to guess in the next step. */
  int next() {
    if (skip > 0) {
      skip--;
      return 0;
    }
    return length;
  }

  /** Takes note of how a step went in which guesses were made. */
  void observe(int guessed, int right) {
    if (right == guessed) {
      length = Math.min(max, 2 * Math.max(length, 1));
    } else {
      length = Math.min(max, right + 1);
    }
    if (right > 0) {
      failures = 0;
      pause = 1;
    } else if (++failures >= PATIENCE) {
      skip = pause;
      pause = Math.min(LONGEST_PAUSE, 2 * pause);
    }
  }
}
