package org.llamaj.sampling;

import java.util.List;

/**
 * Don't repeat yourself: a token that would make the text repeat a passage gets less probable, the
 * longer the passage the more. Where the last n tokens have occurred before, the token that came
 * next there loses {@code multiplier * base^(n - allowedLength)}.
 *
 * @param multiplier strength; 0 is off
 * @param base growth with the length
 * @param allowedLength passages up to one less than this are free
 * @param window how many of the last tokens to look at, prompt included; -1 for all
 * @param breakers texts that no passage reaches across; a token that contains one ends it
 */
public record Dry(
    float multiplier, float base, int allowedLength, int window, List<String> breakers)
    implements SamplingStep {
  /** Copies the list and checks the ranges. */
  public Dry {
    Check.that(
        multiplier >= 0 && Float.isFinite(multiplier), "multiplier", "0 or more", multiplier);
    Check.that(base >= 1 && Float.isFinite(base), "base", "1 or more", base);
    Check.that(allowedLength >= 1, "allowedLength", "1 or more", allowedLength);
    Check.that(window >= -1, "dryWindow", "-1 or more", window);
    breakers = List.copyOf(breakers);
  }

  /**
   * The usual values: base 1.75, passages of two tokens and more, the last 1024 tokens, broken at
   * line ends, colons, quotation marks and asterisks.
   *
   * @param multiplier strength, usually 0.8
   */
  public Dry(float multiplier) {
    this(multiplier, 1.75f, 2, 1024, List.of("\n", ":", "\"", "*"));
  }

  @Override
  public Stage begin(SamplingContext context) {
    return multiplier == 0 || window == 0 ? _ -> {} : new Repeats(context);
  }

  /** Looks for earlier occurrences of the end of the text. */
  private final class Repeats implements Stage {
    /** Longer passages would make the penalty no larger than the largest number. */
    private final int longest = allowedLength + (base > 1 ? (int) (80 / Math.log(base)) : 1000);

    private final SamplingContext context;
    private final RecentTokens recent = new RecentTokens(window);
    private final int[] lengths;

    Repeats(SamplingContext context) {
      this.context = context;
      lengths = new int[context.vocabularySize()];
    }

    @Override
    public void accept(int token) {
      recent.add(token);
    }

    @Override
    public void apply(Candidates candidates) {
      int reach = Math.min(longest, untilBreaker());
      if (reach < allowedLength) {
        return;
      }
      for (int ago = 1; ago < recent.size(); ago++) {
        int length = repeated(ago, reach);
        int next = recent.get(ago - 1);
        lengths[next] = Math.max(lengths[next], length);
      }
      for (int ago = 0; ago < recent.size(); ago++) {
        penalise(candidates, recent.get(ago));
      }
    }

    private void penalise(Candidates candidates, int token) {
      int length = lengths[token];
      lengths[token] = 0;
      int index = length < allowedLength ? -1 : candidates.indexOf(token);
      if (index >= 0) {
        double penalty = multiplier * Math.pow(base, length - allowedLength);
        candidates.setLogit(index, (float) (candidates.logit(index) - penalty));
      }
    }

    /** How many tokens before {@code ago} and before the end are equal. */
    private int repeated(int ago, int reach) {
      int length = 0;
      while (length < reach
          && ago + length < recent.size()
          && recent.get(length) == recent.get(ago + length)) {
        length++;
      }
      return length;
    }

    private int untilBreaker() {
      int length = 0;
      while (length < longest && length < recent.size() && !breaks(recent.get(length))) {
        length++;
      }
      return length;
    }

    private boolean breaks(int token) {
      String text = breakers.isEmpty() ? "" : context.text().apply(token);
      for (String breaker : breakers) {
        if (text.contains(breaker)) {
          return true;
        }
      }
      return false;
    }
  }
}
