/**
 * Floats turned into block-quantised encodings: the inverse of {@link org.llamaj.tensor.encoding}.
 * Every format has a scale (or a scale and an offset) for a few neighbouring values; the codes
 * follow from it by rounding, so all the art is in its choice. It is the one that minimises the sum
 * of w (x - decoded)^2, found by trying many. The searches run over many blocks side by side
 * ({@link org.llamaj.tensor.quantize.Lanes}), in loops that the JIT compiles to vector
 * instructions.
 */
package org.llamaj.tensor.quantize;
