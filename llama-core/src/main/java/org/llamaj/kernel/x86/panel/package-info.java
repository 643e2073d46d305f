/**
 * Products of weights and many rows of activations: a few weight rows at a time are brought into a
 * panel of the instruction's own layout ({@code Layout}) that stays in the cache while tiles of all
 * activation rows pass by. Layouts are
 *
 * <ul>
 *   <li>{@code AmxLayout}, weights of all types but F32 as bfloat16 in AMX's tile registers;
 *   <li>{@code PairLayout}, BF16 weights with AVX512-BF16;
 *   <li>{@code PanelFormat}, quantised weights as 8-bit integers with AVX-512 VNNI;
 *   <li>{@code FloatLayout}, float32: F32 and F16, and all types with AVX2 and plain AVX-512.
 * </ul>
 *
 * <p>For each there is code that makes panels ({@code ...PanelCode}), that makes tiles ({@code
 * ...TileCode}) and that multiplies the two ({@code ...GemmCode}). That of {@code FloatLayout}
 * serves {@code PairLayout} too; that of {@code PanelFormat} has no prefix, and its panels and
 * products alternate within a {@code SweepCode}.
 *
 * <h2>AMX</h2>
 *
 * <p>Products are of bfloat16 values and not of 8-bit integers, though a tile of integers holds
 * twice as many. Weights and activations have a scale for each 32 values, so an integer product
 * would have to leave the tile after 32: for 16 x 16 results, one tile instruction (of half a tile:
 * 8 to 16 cycles) and then a store and a load of 16 registers, 16 conversions, and 32
 * multiplications by scales, some 30 cycles more. A bfloat16 product of the same 32 values is a
 * single instruction of 16 cycles whose sums stay where they are; scales are paid once for a
 * weight, not for each result. It is also more exact: a value rounded to bfloat16 is off by 0.2 %
 * of itself typically, an activation rounded to 8 bits by 0.2 % of its block's greatest.
 *
 * <p>F16 weights are more precise than bfloat16 and are therefore split in two ({@code AmxLayout}):
 * three products instead of one. F32 weights keep float32 arithmetic.
 */
package org.llamaj.kernel.x86.panel;
