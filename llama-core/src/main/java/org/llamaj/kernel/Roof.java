package org.llamaj.kernel;

/**
 * What a device can do at most, from its clocks: the roofs of the roofline model (Williams et al.
 * 2009).
 *
 * @param device its name
 * @param bytesPerSecond that its memory gives
 * @param operationsPerSecond dense multiplications and additions of two-byte numbers
 */
public record Roof(String device, double bytesPerSecond, double operationsPerSecond) {}
