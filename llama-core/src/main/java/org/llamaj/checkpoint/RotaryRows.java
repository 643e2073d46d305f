package org.llamaj.checkpoint;

import java.util.regex.Pattern;

/**
 * The two orders of the rows of query and key projections. The components of a head that are turned
 * together lie side by side in GGUF's and Meta's files (0 1 2 3: pairs 01, 23), and half a head
 * apart in Hugging Face's (0 2 1 3).
 */
public final class RotaryRows {
  private static final Pattern ROTATED = Pattern.compile("blk\\.\\d+\\.attn_[qk]\\.(weight|bias)");

  private RotaryRows() {}

  /**
   * Whether a tensor's rows have an order of this kind.
   *
   * @param name in GGUF, {@code blk.0.attn_q.weight}
   * @return true for what is turned by its position
   */
  public static boolean areIn(String name) {
    return ROTATED.matcher(name).matches();
  }

  /**
   * Where a row is among rows whose pairs are half a head apart.
   *
   * @param row among rows whose pairs lie side by side
   * @param headDim rows of a head, even
   * @return its place in the other order
   */
  public static long halfSplit(long row, int headDim) {
    long within = row % headDim;
    return row - within + within % 2 * (headDim / 2) + within / 2;
  }

  /**
   * Where a row is among rows whose pairs lie side by side: the inverse of {@link #halfSplit}.
   *
   * @param row among rows whose pairs are half a head apart
   * @param headDim rows of a head, even
   * @return its place in the other order
   */
  public static long interleaved(long row, int headDim) {
    long within = row % headDim;
    long half = headDim / 2;
    return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
  }
}
