/**
 * Products of weights and one or a few rows of activations: weights are streamed once from memory,
 * row by row; memory is the limit, or nearly.
 *
 * <ul>
 *   <li>Quantised weights are multiplied as 8-bit integers with activations quantised in blocks of
 *       32: in AVX-512 VNNI {@code WideGemvCode}, for activations in {@code LaneRecord}s that
 *       {@code LaneQuantizeCode} writes; else {@code GemvCode}, for a {@code QuantizedRow} by
 *       {@code QuantizeCode}.
 *   <li>F32, F16 and BF16 weights are multiplied as floats: {@code FloatGemvCode}.
 * </ul>
 */
package org.llamaj.kernel.x86.gemv;
