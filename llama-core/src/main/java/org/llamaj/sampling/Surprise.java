package org.llamaj.sampling;

/** Mirostat's controller: the limit that has brought the surprise of the text to its target. */
final class Surprise {
  private final float target;
  private final float rate;
  private float limit;
  private Candidates offered;

  Surprise(float target, float rate) {
    this.target = target;
    this.rate = rate;
    limit = 2 * target;
  }

  /** The most surprise to allow, in bits ({@code mu} in the paper). */
  float limit() {
    return limit;
  }

  /** The next token is chosen from these. */
  void offer(Candidates candidates) {
    offered = candidates;
  }

  /** Learns from a choice; tokens that were not offered, of the prompt, teach nothing. */
  void chosen(int token) {
    int index = offered == null ? -1 : offered.indexOf(token);
    if (index >= 0) {
      double surprise = -Math.log(offered.probabilities()[index]) / Math.log(2);
      limit -= (float) (rate * (surprise - target));
    }
    offered = null;
  }
}
