/**
 * Kernels in machine code that Java assembles at run time: no library to ship, no compiler, no
 * warm-up. They need Linux on an x86-64 processor with AVX2 and FMA at least, native access, and a
 * system that lets a process make memory executable; elsewhere {@link
 * org.llamaj.kernel.x86.X86KernelProvider} says what is missing and another provider is used.
 *
 * <p>What a processor has is asked of itself ({@code Processor}, {@code Feature}) and gives one of
 * a few levels ({@code Level}); AMX also needs the operating system's permission, and without it
 * the next level is used.
 *
 * <p>A product of weights and activations is computed in one of these ways:
 *
 * <ul>
 *   <li>one or a few rows of activations ({@code WideGemvCode}, {@code GemvCode}, {@code
 *       FloatGemvCode}): weights are streamed once from memory, row by row. Quantised ones are
 *       multiplied as 8-bit integers with activations quantised in blocks of 32 ({@code
 *       LaneQuantizeCode}, {@code QuantizeCode}); memory is the limit, or nearly;
 *   <li>many rows: a few weight rows at a time are brought into a panel of the instruction's own
 *       layout ({@code Layout}) that stays in the cache while tiles of all activation rows pass by.
 *       Layouts are
 *       <ul>
 *         <li>{@code AmxLayout}, weights of all types but F32 as bfloat16 in AMX's tile registers;
 *         <li>{@code PairLayout}, BF16 weights with AVX512-BF16;
 *         <li>{@code PanelFormat}, quantised weights as 8-bit integers with AVX-512 VNNI;
 *         <li>{@code FloatLayout}, float32: F32 and F16, and all types with AVX2 and plain AVX-512.
 *       </ul>
 * </ul>
 *
 * <p>The code is made for a type, a row length and a number of activation rows when it is first
 * needed ({@code CodeCache}), so offsets and tails are constants in it. A type is described by
 * {@code BlockFormat}: how its scales and its values are taken apart; all else is common.
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
 * three products instead of one. F32 weights keep float32 arithmetic. Attention does so too.
 *
 * <h2>How it is verified</h2>
 *
 * <p>The assembler's bytes are compared with GNU as. All kernels are compared with the scalar ones
 * at every level. AMX, AVX512-BF16 and AVX-VNNI have been written on processors that lack them: the
 * tests there run the same code, through the same driver, with an emulator that does the missing
 * instructions in software after Intel's manual and watches that tiles have the shapes that
 * hardware demands and are released. What an emulator cannot show is speed: on hardware with AMX or
 * AVX512-BF16 that of these kernels has not been measured, nor have their choices (from 9 rows of
 * activations on, and 5 for floats) been tuned. A C program of the same structure, 32 x 32 results
 * at a time and Q8_0 weights brought into a panel, reached 900 to 1000 GFLOP/s with one core of a
 * Sapphire Rapids machine from 128 rows on, 460 with 32.
 */
package org.llamaj.kernel.x86;
