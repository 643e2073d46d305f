package org.llamaj.transformer;

/**
 * The greatest logits after one token, for choices that need no others: written by {@link
 * Transformer#forward} where {@link Batch#wantBest} asked for them. Where the model runs on a
 * device, the others stay there.
 */
public final class BestLogits {
  /** The most that can be asked for. */
  public static final int MOST = 64;

  private final int[] ids;
  private final float[] logits;
  private int size;

  /**
   * Makes room.
   *
   * @param capacity how many are wanted, 1 to {@link #MOST}
   */
  public BestLogits(int capacity) {
    if (capacity < 1 || capacity > MOST) {
      throw new IllegalArgumentException(
          "expected 1 to %d logits to be wanted, found %d".formatted(MOST, capacity));
    }
    ids = new int[capacity];
    logits = new float[capacity];
  }

  /**
   * How many are wanted.
   *
   * @return at least 1
   */
  public int capacity() {
    return ids.length;
  }

  /**
   * How many there are: as many as are wanted, unless the vocabulary is smaller.
   *
   * @return 0 before the first forward pass
   */
  public int size() {
    return size;
  }

  /**
   * A token.
   *
   * @param index 0 for the most probable one, of equals the one with the lower id
   * @return its id
   */
  public int id(int index) {
    return ids[index];
  }

  /**
   * Its logit.
   *
   * @param index 0 for the greatest
   * @return the logit
   */
  public float logit(int index) {
    return logits[index];
  }

  /** Takes over the first of a row. */
  void set(int[] allIds, float[] allLogits, int from, int count) {
    size = Math.min(count, ids.length);
    System.arraycopy(allIds, from, ids, 0, size);
    System.arraycopy(allLogits, from, logits, 0, size);
  }
}
