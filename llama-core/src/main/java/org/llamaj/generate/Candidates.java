package org.llamaj.generate;

/**
 * The tokens still in the running for the next place, with their logits. Begins as the whole
 * vocabulary; the sampling steps narrow it down. Its arrays are used again for every token.
 */
final class Candidates {
  private final int[] ids;
  private final float[] logits;
  private int size;
  private boolean sorted;

  Candidates(int vocabularySize) {
    ids = new int[vocabularySize];
    logits = new float[vocabularySize];
  }

  void reset(float[] allLogits) {
    size = allLogits.length;
    System.arraycopy(allLogits, 0, logits, 0, size);
    for (int i = 0; i < size; i++) {
      ids[i] = i;
    }
    sorted = false;
  }

  int size() {
    return size;
  }

  int id(int index) {
    return ids[index];
  }

  float logit(int index) {
    return logits[index];
  }

  float maxLogit() {
    if (sorted) {
      return logits[0];
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      max = Math.max(max, logits[i]);
    }
    return max;
  }

  /** Keeps the k most probable, most probable first. */
  void keepTop(int k) {
    if (k < size || !sorted) {
      sortTop(Math.min(k, size));
    }
    size = Math.min(k, size);
    sorted = true;
  }

  /** Keeps the fewest most probable tokens that together have the probability p. */
  void keepNucleus(float p) {
    if (p >= 1) {
      return;
    }
    float max = maxLogit();
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += Math.exp(logits[i] - max);
    }
    int ordered = sorted ? size : 0;
    double reached = 0;
    for (int i = 0; i < size; i++) {
      if (i == ordered) {
        ordered = Math.min(size, Math.max(256, 4 * ordered));
        sortTop(ordered);
      }
      reached += Math.exp(logits[i] - max);
      if (reached >= p * total) {
        size = i + 1;
        sorted = true;
        return;
      }
    }
    sorted = true;
  }

  /** Keeps tokens at least p times as probable as the most probable one. */
  void keepRelative(float p) {
    if (p <= 0) {
      return;
    }
    float threshold = maxLogit() + (float) Math.log(p);
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] >= threshold) {
        ids[kept] = ids[i];
        logits[kept++] = logits[i];
      }
    }
    size = kept;
  }

  /**
   * Draws a token with the probability softmax(logits / temperature).
   *
   * @param random uniform in [0, 1)
   */
  int draw(float temperature, double random) {
    float max = maxLogit();
    double total = 0;
    for (int i = 0; i < size; i++) {
      total += Math.exp((logits[i] - max) / temperature);
    }
    double remaining = random * total;
    for (int i = 0; i < size; i++) {
      remaining -= Math.exp((logits[i] - max) / temperature);
      if (remaining < 0) {
        return ids[i];
      }
    }
    return ids[mostProbable()];
  }

  private int mostProbable() {
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  /**
   * Moves the k largest to the front, in descending order. The first k places are a heap with its
   * smallest at the root while the others pass by; a heap sort finishes.
   */
  private void sortTop(int k) {
    for (int i = k / 2 - 1; i >= 0; i--) {
      sink(i, k);
    }
    for (int i = k; i < size; i++) {
      if (before(0, i)) {
        swap(0, i);
        sink(0, k);
      }
    }
    for (int end = k - 1; end > 0; end--) {
      swap(0, end);
      sink(0, end);
    }
  }

  /** True when a is less probable than b; of equals, the one of the higher id. */
  private boolean before(int a, int b) {
    return logits[a] < logits[b] || (logits[a] == logits[b] && ids[a] > ids[b]);
  }

  private void sink(int parent, int end) {
    while (true) {
      int child = 2 * parent + 1;
      if (child >= end) {
        return;
      }
      if (child + 1 < end && before(child + 1, child)) {
        child++;
      }
      if (!before(child, parent)) {
        return;
      }
      swap(parent, child);
      parent = child;
    }
  }

  private void swap(int a, int b) {
    int id = ids[a];
    ids[a] = ids[b];
    ids[b] = id;
    float logit = logits[a];
    logits[a] = logits[b];
    logits[b] = logit;
  }
}
