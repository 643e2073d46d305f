package org.llamaj.kernel;

/**
 * Consecutive tokens of one sequence within a batch: rows {@code firstRow} to {@code firstRow +
 * rows - 1} of the activations are the tokens at positions {@code firstPosition} and up. A prompt
 * is one long span; a decode step of many conversations is many spans of one row.
 *
 * @param pages the sequence's cache; has room for all positions of the span
 * @param firstRow index of the span's first row in the batch
 * @param rows number of tokens, at least 1
 * @param firstPosition position of the first token in its sequence, from 0
 */
public record Span(PageTable pages, int firstRow, int rows, int firstPosition) {}
