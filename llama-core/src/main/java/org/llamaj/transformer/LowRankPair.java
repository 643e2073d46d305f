package org.llamaj.transformer;

import org.llamaj.tensor.Tensor;

/**
 * The tensors of a low-rank update: W x becomes W x + scaling B (A x).
 *
 * @param down A, [rank, inputs]
 * @param up B, [outputs, rank]
 * @param scaling alpha / rank in most adapters
 */
public record LowRankPair(Tensor down, Tensor up, float scaling) {}
