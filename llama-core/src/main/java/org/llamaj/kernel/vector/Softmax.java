package org.llamaj.kernel.vector;

import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.MAX;
import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;

import jdk.incubator.vector.FloatVector;

/** Steps of a softmax over the scores of one page. */
final class Softmax {
  private Softmax() {}

  /** Scores that the query must not see, and that may be NaN, become very small. */
  static void mask(long scores, int from, int to) {
    for (int i = 0; i < from; i++) {
      ALL.set(FLOAT, scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
    for (int i = to; i < PAGE_TOKENS; i++) {
      ALL.set(FLOAT, scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
  }

  static float max(long scores) {
    FloatVector max = fromMemorySegment(F, ALL, scores, LE);
    for (int i = LANES; i < PAGE_TOKENS; i += LANES) {
      max = max.max(fromMemorySegment(F, ALL, scores + 4L * i, LE));
    }
    return max.reduceLanes(MAX);
  }

  /** Scores become exp(score - max); returns their sum. */
  static float exponentials(long scores, float max) {
    Exponential.exp(scores, 1, -max, PAGE_TOKENS, scores);
    FloatVector sum = fromMemorySegment(F, ALL, scores, LE);
    for (int i = LANES; i < PAGE_TOKENS; i += LANES) {
      sum = sum.add(fromMemorySegment(F, ALL, scores + 4L * i, LE));
    }
    return sum.reduceLanes(ADD);
  }

  /** Weights of masked scores, at most e^-87, become 0: what they would weigh may be anything. */
  static void clear(long weights, int from, int to) {
    for (int i = 0; i < from; i++) {
      ALL.set(FLOAT, weights + 4L * i, 0);
    }
    for (int i = to; i < PAGE_TOKENS; i++) {
      ALL.set(FLOAT, weights + 4L * i, 0);
    }
  }
}
