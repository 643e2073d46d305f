package org.llamaj.sampling;

import java.util.Arrays;

/**
 * Finds the most probable tokens that together have a probability. A histogram over the logits
 * tells where the border is, so that only the tokens near it are sorted.
 */
final class Nucleus {
  private static final int BUCKETS = 256;
  private static final float BUCKETS_PER_NAT = 8;

  /** Fewer candidates than this are sorted right away. */
  private static final int FEW = 512;

  private final double[] histogram = new double[BUCKETS];

  void keep(Candidates candidates, float p) {
    float max = candidates.maxLogit();
    double enough = p * candidates.weights();
    int surely = 0;
    double reached = 0;
    if (candidates.size() > FEW) {
      int border = fillHistogram(candidates, max, enough);
      for (int bucket = 0; bucket < border; bucket++) {
        reached += histogram[bucket];
      }
      surely = partition(candidates, max, border);
    }
    int ordered = surely;
    Selection selection = candidates.byLogit();
    for (int i = surely; i < candidates.size(); i++) {
      if (i == ordered) {
        ordered = Math.min(candidates.size(), i + Math.max(128, 3 * (i - surely)));
        selection.sort(i, ordered, candidates.size());
      }
      reached += Math.exp(candidates.logit(i) - max);
      if (reached >= enough) {
        candidates.reordered(i + 1);
        return;
      }
    }
    candidates.reordered(candidates.size());
  }

  /** Sums the weights up by distance from the largest logit; gives the bucket of the border. */
  private int fillHistogram(Candidates candidates, float max, double enough) {
    float[] weights = candidates.scratch();
    Arrays.fill(histogram, 0);
    for (int i = 0; i < candidates.size(); i++) {
      histogram[bucket(max, candidates.logit(i))] += weights[i];
    }
    double reached = 0;
    for (int bucket = 0; bucket < BUCKETS - 1; bucket++) {
      reached += histogram[bucket];
      if (reached >= enough) {
        return bucket;
      }
    }
    return BUCKETS - 1;
  }

  /** Drops what is below the border, and gives the number of those above, which come first now. */
  private static int partition(Candidates candidates, float max, int border) {
    candidates.removeIf((_, logit) -> bucket(max, logit) > border);
    int above = 0;
    for (int i = 0; i < candidates.size(); i++) {
      if (bucket(max, candidates.logit(i)) < border) {
        candidates.swap(i, above++);
      }
    }
    return above;
  }

  private static int bucket(float max, float logit) {
    return Math.min(BUCKETS - 1, (int) ((max - logit) * BUCKETS_PER_NAT));
  }
}
