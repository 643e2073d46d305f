package org.llamaj.sampling;

import java.util.function.IntFunction;
import java.util.random.RandomGenerator;

/**
 * What the steps of a chain may need to know of the generation they take part in.
 *
 * @param vocabularySize number of token ids
 * @param text what a token stands for
 * @param random the generation's random numbers
 */
public record SamplingContext(
    int vocabularySize, IntFunction<String> text, RandomGenerator random) {}
