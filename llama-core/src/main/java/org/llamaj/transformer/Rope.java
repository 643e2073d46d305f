package org.llamaj.transformer;

import org.llamaj.kernel.RotaryPairs;

/**
 * Rotary position embedding (Su et al. 2021).
 *
 * @param dimensions rotated components per head, even and at most the head's length
 * @param theta base of the rotary frequencies
 * @param scaling how positions are stretched
 * @param pairs which components of queries and keys are turned together: the order of the weights'
 *     rows
 */
public record Rope(int dimensions, double theta, RopeScaling scaling, RotaryPairs pairs) {}
