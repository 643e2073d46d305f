package org.llamaj.sampling;

/**
 * Makes recent tokens less probable.
 *
 * @param window how many of the last tokens count as recent, prompt included; 0 for none, -1 for
 *     all
 * @param repetition divides positive and multiplies negative logits (Keskar et al. 2019); 1 is off
 * @param frequency subtracted for each occurrence
 * @param presence subtracted once
 */
public record Penalties(int window, float repetition, float frequency, float presence)
    implements SamplingStep {
  /** Checks the ranges. */
  public Penalties {
    Check.that(window >= -1, "penaltyWindow", "-1 or more", window);
    Check.that(
        repetition > 0 && Float.isFinite(repetition), "repetitionPenalty", "above 0", repetition);
    Check.that(Float.isFinite(frequency), "frequencyPenalty", "a number", frequency);
    Check.that(Float.isFinite(presence), "presencePenalty", "a number", presence);
  }

  @Override
  public Stage begin(SamplingContext context) {
    boolean off = window == 0 || (repetition == 1 && frequency == 0 && presence == 0);
    return off ? _ -> {} : new Counting(context.vocabularySize());
  }

  private float penalised(float logit, int count) {
    float repeated = logit <= 0 ? logit * repetition : logit / repetition;
    return repeated - count * frequency - presence;
  }

  /** Counts the tokens of the window. */
  private final class Counting implements Stage {
    private final RecentTokens recent = new RecentTokens(window);
    private final int[] counts;

    Counting(int vocabularySize) {
      counts = new int[vocabularySize];
    }

    @Override
    public void accept(int token) {
      int leaving = recent.leaving();
      if (leaving >= 0) {
        counts[leaving]--;
      }
      recent.add(token);
      counts[token]++;
    }

    @Override
    public void apply(Candidates candidates) {
      if (!candidates.whole()) {
        for (int i = 0; i < candidates.size(); i++) {
          penalise(candidates, i, counts[candidates.id(i)]);
        }
        return;
      }
      // A token that occurs several times has a negative count once it is dealt with.
      for (int i = 0; i < recent.size(); i++) {
        int token = recent.get(i);
        if (counts[token] > 0) {
          penalise(candidates, token, counts[token]);
          counts[token] = -counts[token];
        }
      }
      for (int i = 0; i < recent.size(); i++) {
        counts[recent.get(i)] = Math.abs(counts[recent.get(i)]);
      }
    }

    private void penalise(Candidates candidates, int index, int count) {
      if (count > 0) {
        candidates.setLogit(index, penalised(candidates.logit(index), count));
      }
    }
  }
}
