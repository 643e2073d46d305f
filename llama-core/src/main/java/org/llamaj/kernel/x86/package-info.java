/**
 * Kernels in machine code that Java assembles at run time: no library to ship, no compiler, no
 * warm-up. They need Linux on an x86-64 processor with AVX2 and FMA at least, native access, and a
 * system that lets a process make memory executable; elsewhere {@link
 * org.llamaj.kernel.x86.X86KernelProvider} says what is missing and another provider is used.
 *
 * <p>A product of quantised weights and activations is computed in one of three ways:
 *
 * <ul>
 *   <li>a single row of activations ({@code WideGemvCode}, {@code GemvCode}): weights are streamed
 *       once from memory, row by row, and multiplied as 8-bit integers with activations quantised
 *       in blocks of 32 ({@code QuantizeCode}); memory is the limit;
 *   <li>many rows, AVX-512 VNNI ({@code GemmCode}): 16 weight rows at a time are brought into a
 *       panel of the instruction's own layout ({@code PanelCode}) that stays in the cache while all
 *       tiles of 12 activation rows ({@code TileCode}) pass by;
 *   <li>many rows otherwise, and weights in floating point ({@code FloatGemmCode}): the same in
 *       float32.
 * </ul>
 *
 * <p>The code is made for a type, a row length and a number of activation rows when it is first
 * needed ({@code CodeCache}), so offsets and tails are constants in it. A type is described by
 * {@code BlockFormat}: how its scales and its values are taken apart; all else is common.
 *
 * <p>Not here: AMX. The place for it is beside {@code GemmCode}, on a panel of its own; it has been
 * left out as long as it cannot be tested.
 */
package org.llamaj.kernel.x86;
