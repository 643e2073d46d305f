package org.llamaj.kernel.vector;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Steps of a softmax over the scores of one page. */
final class Softmax {
  private Softmax() {}

  /** Scores that the query must not see, and that may be NaN, become very small. */
  static void mask(long scores, int from, int to) {
    for (int i = 0; i < from; i++) {
      f32(scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
    for (int i = to; i < PAGE_TOKENS; i++) {
      f32(scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
  }

  static float max(long scores) {
    FloatVector max = floats(scores);
    for (int i = LANES; i < PAGE_TOKENS; i += LANES) {
      max = max.max(floats(scores + 4L * i));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  /** Scores become exp(score - max); returns their sum. */
  static float exponentials(long scores, float max) {
    Exponential.exp(scores, 1, -max, PAGE_TOKENS, scores);
    FloatVector sum = floats(scores);
    for (int i = LANES; i < PAGE_TOKENS; i += LANES) {
      sum = sum.add(floats(scores + 4L * i));
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  /** Weights of masked scores, at most e^-87, become 0: what they would weigh may be anything. */
  static void clear(long weights, int from, int to) {
    for (int i = 0; i < from; i++) {
      f32(weights + 4L * i, 0);
    }
    for (int i = to; i < PAGE_TOKENS; i++) {
      f32(weights + 4L * i, 0);
    }
  }
}
