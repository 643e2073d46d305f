package org.llamaj.generate;

/**
 * Guesses that what followed the last tokens before follows them again. The longest match of up to
 * four tokens counts, the latest of equals.
 */
public final class LookupDrafter implements Drafter {
  private static final int LONGEST = 4;
  private static final int SHORTEST = 2;

  /** Makes a drafter. */
  public LookupDrafter() {}

  @Override
  public int draft(int[] text, int length, int[] guesses, int max) {
    int best = 0;
    int from = 0;
    for (int end = length - 1; end >= SHORTEST && best < LONGEST; end--) {
      int match = match(text, length, end);
      if (match > best) {
        best = match;
        from = end;
      }
    }
    if (best < SHORTEST) {
      return 0;
    }
    int count = Math.min(max, length - from);
    System.arraycopy(text, from, guesses, 0, count);
    return count;
  }

  /** How many of the last tokens also stand before {@code end}. */
  private static int match(int[] text, int length, int end) {
    int match = 0;
    while (match < LONGEST && match < end && text[end - 1 - match] == text[length - 1 - match]) {
      match++;
    }
    return match;
  }
}
