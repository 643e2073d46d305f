package org.llamaj.transformer;

/**
 * Rotary position embedding (Su et al. 2021).
 *
 * @param dimensions rotated components per head, even and at most the head's length
 * @param theta base of the rotary frequencies
 * @param scaling how positions are stretched
 */
public record Rope(int dimensions, double theta, RopeScaling scaling) {}
