/**
 * Kernels in machine code that Java assembles at run time: no library to ship, no compiler, no
 * warm-up. They need Linux on an x86-64 processor with AVX2 and FMA at least, native access, and a
 * system that lets a process make memory executable; elsewhere {@link
 * org.llamaj.kernel.x86.X86KernelProvider} says what is missing and another provider is used.
 *
 * <p>Here are the provider, the kernels as the transformer calls them, and the code of norms,
 * rotation and element-wise operations. The rest is below; each package uses only those before it:
 *
 * <ol>
 *   <li>{@link org.llamaj.kernel.x86.assembler}: instructions to bytes;
 *   <li>{@link org.llamaj.kernel.x86.code}: pieces that kernels are made of;
 *   <li>{@link org.llamaj.kernel.x86.machine}: what the processor has, and memory with code in it;
 *   <li>{@link org.llamaj.kernel.x86.format}: how weights of each type are taken apart;
 *   <li>{@link org.llamaj.kernel.x86.gemv}: products with one or a few rows of activations;
 *   <li>{@link org.llamaj.kernel.x86.panel}: products with many;
 *   <li>{@link org.llamaj.kernel.x86.product}: which of these, on which thread;
 *   <li>{@link org.llamaj.kernel.x86.attention}: the key-value cache and attention.
 * </ol>
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
