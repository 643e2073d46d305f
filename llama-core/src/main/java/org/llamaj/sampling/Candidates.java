package org.llamaj.sampling;

import org.llamaj.transformer.BestLogits;

/**
 * The tokens that may come next, with their logits. Begins as the whole vocabulary; the steps of a
 * chain narrow it down. Candidates have an index, in no particular order unless {@link #sortTop}
 * has made one; removing some changes the indices of others.
 *
 * <p>One object serves all tokens of a generation. While the whole vocabulary is in the running it
 * works in the array of the logits itself: what a chain does not look at is not copied.
 */
public final class Candidates {
  private final int[] ownIds;
  private final float[] ownLogits;
  private final float[] scratch;

  /** The logits in use: the model's own, by token id, or ours beside {@link #ownIds}. */
  private float[] logits;

  private boolean whole;
  private int size;

  /** How many of the first are the most probable, in order. */
  private int sorted;

  /**
   * @param most how many there can be: as many as there are token ids, or fewer where only the most
   *     probable ones are ever given
   */
  public Candidates(int most) {
    ownIds = new int[most];
    ownLogits = new float[most];
    scratch = new float[most];
    logits = ownLogits;
  }

  /**
   * Begins the choice of a token.
   *
   * @param allLogits one value per token id; changed by steps
   */
  public void reset(float[] allLogits) {
    logits = allLogits;
    size = allLogits.length;
    whole = true;
    sorted = 0;
  }

  /**
   * Begins the choice of a token among the most probable.
   *
   * @param best in order
   */
  public void reset(BestLogits best) {
    size = best.size();
    for (int i = 0; i < size; i++) {
      ownIds[i] = best.id(i);
      ownLogits[i] = best.logit(i);
    }
    logits = ownLogits;
    whole = false;
    sorted = size;
  }

  /**
   * How many tokens are in the running.
   *
   * @return at least 1
   */
  public int size() {
    return size;
  }

  /**
   * The token of a candidate.
   *
   * @param index 0 to the size, exclusive
   * @return its id
   */
  public int id(int index) {
    return whole ? index : ownIds[index];
  }

  /**
   * The logit of a candidate.
   *
   * @param index 0 to the size, exclusive
   * @return negative infinity for a token that is banned
   */
  public float logit(int index) {
    return logits[index];
  }

  /**
   * Changes the logit of a candidate.
   *
   * @param index 0 to the size, exclusive
   * @param value negative infinity to ban it
   */
  public void setLogit(int index, float value) {
    logits[index] = value;
    sorted = 0;
  }

  /**
   * Whether every token of the vocabulary is in the running, each under its id as index.
   *
   * @return false once one has been removed
   */
  public boolean whole() {
    return whole;
  }

  /**
   * Where a token is.
   *
   * @param id its id
   * @return its index, -1 if it is not in the running
   */
  public int indexOf(int id) {
    if (whole) {
      return id;
    }
    for (int i = 0; i < size; i++) {
      if (ownIds[i] == id) {
        return i;
      }
    }
    return -1;
  }

  /**
   * The largest logit.
   *
   * @return of the most probable candidate
   */
  public float maxLogit() {
    return logits[mostProbable()];
  }

  /**
   * The candidate with the largest logit, of equals the one with the lowest id.
   *
   * @return its index
   */
  public int mostProbable() {
    if (sorted > 0) {
      return 0;
    }
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (logits[i] > logits[best] || (!whole && lessProbable(best, i))) {
        best = i;
      }
    }
    return best;
  }

  /**
   * Multiplies all logits.
   *
   * @param factor above 0
   */
  public void scale(float factor) {
    for (int i = 0; i < size; i++) {
      logits[i] *= factor;
    }
  }

  /**
   * The logarithm of the sum of the exponentials of all logits: a logit less this is the logarithm
   * of a probability.
   *
   * @return in nats
   */
  public double logSum() {
    return maxLogit() + Math.log(weights());
  }

  /**
   * The probabilities of all candidates: the softmax of their logits.
   *
   * @return by index; an array of this object, good until its next use
   */
  public float[] probabilities() {
    double total = weights();
    float factor = (float) (1 / total);
    for (int i = 0; i < size; i++) {
      scratch[i] *= factor;
    }
    return scratch;
  }

  /**
   * Keeps the k most probable, most probable first.
   *
   * @param k at least 1
   */
  public void keepTop(int k) {
    if (whole && k < size) {
      selectTop(k);
    } else {
      sortTop(k);
      keepFirst(k);
    }
  }

  /** Passes by the whole vocabulary and copies the k most probable only. */
  private void selectTop(int k) {
    float[] all = logits;
    int count = size;
    for (int i = 0; i < k; i++) {
      take(i, i);
    }
    narrowed(k);
    Selection selection = new Selection(this, ownLogits);
    selection.makeHeap(0, k);
    for (int id = k; id < count; id++) {
      if (all[id] > ownLogits[0]) {
        ownIds[0] = id;
        ownLogits[0] = all[id];
        selection.sink(0, 0, k);
      }
    }
    selection.sortHeap(0, k);
    sorted = k;
  }

  /**
   * Keeps the first candidates.
   *
   * @param count at least 1
   */
  public void keepFirst(int count) {
    if (count < size) {
      own();
      size = count;
      sorted = Math.min(sorted, count);
    }
  }

  /**
   * Keeps the candidates whose logit is at least a threshold.
   *
   * @param threshold at most the largest logit
   */
  public void keepFrom(float threshold) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (logits[i] >= threshold) {
        take(i, kept++);
      }
    }
    narrowed(kept);
  }

  /**
   * Removes candidates.
   *
   * @param removal what to remove, asked for each index in turn
   */
  public void removeIf(Removal removal) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (!removal.test(id(i), logits[i])) {
        take(i, kept++);
      }
    }
    narrowed(kept);
  }

  /** Says whether a candidate goes. */
  @FunctionalInterface
  public interface Removal {
    /**
     * Looks at a candidate.
     *
     * @param id its token
     * @param logit its logit
     * @return true to remove it
     */
    boolean test(int id, float logit);
  }

  /**
   * Keeps the tokens of a set.
   *
   * @param allowed one bit per token id, 64 in each word
   * @param count how many bits are set, at least 1
   */
  public void keepAll(long[] allowed, int count) {
    if (whole && count > size / 2) {
      ban(allowed);
      return;
    }
    int kept = 0;
    if (whole) {
      for (int word = 0; word < allowed.length; word++) {
        for (long bits = allowed[word]; bits != 0; bits &= bits - 1) {
          take(64 * word + Long.numberOfTrailingZeros(bits), kept++);
        }
      }
    } else {
      for (int i = 0; i < size; i++) {
        if ((allowed[ownIds[i] >>> 6] >>> ownIds[i] & 1) != 0) {
          take(i, kept++);
        }
      }
    }
    narrowed(kept);
  }

  private void ban(long[] allowed) {
    for (int word = 0; word < allowed.length; word++) {
      int left = size - 64 * word;
      long inUse = left >= 64 ? -1 : (1L << left) - 1;
      for (long bits = ~allowed[word] & inUse; bits != 0; bits &= bits - 1) {
        logits[64 * word + Long.numberOfTrailingZeros(bits)] = Float.NEGATIVE_INFINITY;
      }
    }
    sorted = 0;
  }

  /**
   * Moves the most probable to the front, in descending order; of equals, the lower id first.
   *
   * @param count how many; all if there are fewer
   */
  public void sortTop(int count) {
    int k = Math.min(count, size);
    if (k <= sorted) {
      return;
    }
    own();
    new Selection(this, ownLogits).sort(0, k, size);
    sorted = k;
  }

  /**
   * Draws a token with the probabilities of the softmax.
   *
   * @param random uniform in [0, 1)
   * @return its id
   */
  public int draw(double random) {
    if (size == 1) {
      return id(0);
    }
    double remaining = random * weights();
    for (int i = 0; i < size; i++) {
      remaining -= scratch[i];
      if (remaining < 0) {
        return id(i);
      }
    }
    return id(mostProbable());
  }

  /** Fills the scratch array with {@code exp(logit - max)} and gives the sum. */
  double weights() {
    Exponentials.fill(logits, maxLogit(), scratch, size);
    return Exponentials.sum(scratch, size);
  }

  /** Copies what is still in the model's array, so that candidates can change places. */
  void own() {
    if (whole) {
      for (int i = 0; i < size; i++) {
        ownIds[i] = i;
      }
      if (logits != ownLogits) {
        System.arraycopy(logits, 0, ownLogits, 0, size);
      }
      logits = ownLogits;
      whole = false;
    }
  }

  private void take(int from, int to) {
    ownIds[to] = id(from);
    ownLogits[to] = logits[from];
  }

  private void narrowed(int kept) {
    sorted = sorted == size ? kept : 0;
    size = kept;
    logits = ownLogits;
    whole = false;
  }

  /** The weights of {@link #weights}, by index. */
  float[] scratch() {
    return scratch;
  }

  /** Keeps the first candidates, whose order has changed. */
  void reordered(int kept) {
    size = kept;
    sorted = 0;
  }

  /** Exchanges two candidates; they are {@link #own}. */
  void swap(int a, int b) {
    int id = ownIds[a];
    ownIds[a] = ownIds[b];
    ownIds[b] = id;
    float logit = ownLogits[a];
    ownLogits[a] = ownLogits[b];
    ownLogits[b] = logit;
  }

  /** The entropy of probabilities of this object, in nats. */
  double entropy(float[] probabilities) {
    double entropy = 0;
    for (int i = 0; i < size; i++) {
      if (probabilities[i] > 0) {
        entropy -= probabilities[i] * Math.log(probabilities[i]);
      }
    }
    return entropy;
  }

  /** Puts candidates into the order of their logits. */
  Selection byLogit() {
    own();
    return new Selection(this, ownLogits);
  }

  /** True when a is less probable than b; of equals, the one of the higher id. */
  boolean lessProbable(int a, int b) {
    return logits[a] < logits[b] || (logits[a] == logits[b] && id(a) > id(b));
  }
}
