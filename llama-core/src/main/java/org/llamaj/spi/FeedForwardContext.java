package org.llamaj.spi;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Kernels;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.WeightSource;

/**
 * What a {@link FeedForwardProvider} makes the networks of one model from.
 *
 * @param configuration proportions of the model
 * @param weights the model's tensors
 * @param kernels the arithmetic to use
 * @param maxRows the most rows a call will have
 * @param pinnedBytes how much of the weights may be locked in memory; 0 for none
 * @param arena for scratch memory; lives as long as the model
 */
public record FeedForwardContext(
    Configuration configuration,
    WeightSource weights,
    Kernels kernels,
    int maxRows,
    long pinnedBytes,
    Arena arena) {}
