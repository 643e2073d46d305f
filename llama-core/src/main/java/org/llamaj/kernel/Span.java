package org.llamaj.kernel;

/**
 * Consecutive tokens of one sequence within a batch: rows {@code firstRow} to {@code firstRow +
 * rows - 1} of the activations are the tokens at positions {@code firstPosition} and up. A prompt
 * is one long span; a decode step of many conversations is many spans of one row.
 *
 * <p>Attention is causal, a row sees the keys up to its own position, or {@linkplain #seeingAll
 * full}: every row sees the same keys, as in encoders and in cross-attention.
 *
 * <p>A span is made anew for each forward pass: within one, the pages it leads to stay the same.
 *
 * @param pages the sequence's cache; has room for all positions of the span
 * @param firstRow index of the span's first row in the batch
 * @param rows number of tokens, at least 1
 * @param firstPosition position of the first token in its sequence, from 0
 * @param keys how many keys every row sees; 0 if attention is causal
 */
public record Span(PageTable pages, int firstRow, int rows, int firstPosition, int keys) {

  /**
   * A span with causal attention.
   *
   * @param pages the sequence's cache; has room for all positions of the span
   * @param firstRow index of the span's first row in the batch
   * @param rows number of tokens, at least 1
   * @param firstPosition position of the first token in its sequence, from 0
   */
  public Span(PageTable pages, int firstRow, int rows, int firstPosition) {
    this(pages, firstRow, rows, firstPosition, 0);
  }

  /**
   * A span whose rows all see the same keys. Only for layers without attention chunks.
   *
   * @param pages holds the keys and values, stored before
   * @param firstRow index of the span's first row in the batch
   * @param rows number of rows, at least 1
   * @param keys how many keys are seen, from the first one on; at least 1
   * @return the span, for {@link Kernels#attention} only
   */
  public static Span seeingAll(PageTable pages, int firstRow, int rows, int keys) {
    return new Span(pages, firstRow, rows, 0, keys);
  }

  /**
   * The last key that a row sees.
   *
   * @param row index within the span, from 0
   * @return a position
   */
  public int lastKey(int row) {
    return keys > 0 ? keys - 1 : firstPosition + row;
  }
}
