package org.llamaj.kernel;

/**
 * Consecutive tokens of one sequence within a batch: rows {@code firstRow} to {@code firstRow +
 * rows - 1} of the activations are the tokens at positions {@code firstPosition} and up. A prompt
 * is one long span; a decode step of many conversations is many spans of one row.
 *
 * <p>Attention is causal, a row sees the keys up to its own position, or {@linkplain #seeingAll
 * full}: every row sees the same keys, as in encoders and in cross-attention.
 *
 * <p>A batch uses its spans again and again, so that a decode step allocates nothing.
 */
public final class Span {
  private PageTable pages;
  private int firstRow;
  private int rows;
  private int firstPosition;
  private int keys;

  /**
   * A span with causal attention.
   *
   * @param pages the sequence's cache; has room for all positions of the span
   * @param firstRow index of the span's first row in the batch
   * @param rows number of tokens, at least 1
   * @param firstPosition position of the first token in its sequence, from 0
   */
  public Span(PageTable pages, int firstRow, int rows, int firstPosition) {
    become(pages, firstRow, rows, firstPosition);
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
    Span span = new Span(pages, firstRow, rows, 0);
    span.keys = keys;
    return span;
  }

  /**
   * Makes this the span of other rows, with causal attention.
   *
   * @param newPages the sequence's cache; null until the span is used again
   * @param newFirstRow index of the span's first row in the batch
   * @param newRows number of tokens, at least 1
   * @param newFirstPosition position of the first token in its sequence, from 0
   */
  public void become(PageTable newPages, int newFirstRow, int newRows, int newFirstPosition) {
    pages = newPages;
    firstRow = newFirstRow;
    rows = newRows;
    firstPosition = newFirstPosition;
    keys = 0;
  }

  /**
   * The sequence's cache.
   *
   * @return its pages
   */
  public PageTable pages() {
    return pages;
  }

  /**
   * Where the span begins in the batch.
   *
   * @return index of its first row
   */
  public int firstRow() {
    return firstRow;
  }

  /**
   * The length of the span.
   *
   * @return number of tokens, at least 1
   */
  public int rows() {
    return rows;
  }

  /**
   * Where the span begins in its sequence.
   *
   * @return position of its first token, from 0
   */
  public int firstPosition() {
    return firstPosition;
  }

  /**
   * How many keys every row sees.
   *
   * @return keys; 0 if attention is causal
   */
  public int keys() {
    return keys;
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
