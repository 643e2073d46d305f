/**
 * A small assembler for x86-64: the general, AVX2 and AVX-512 instruction forms that the kernels of
 * {@link org.llamaj.kernel.x86} use, and no others. Written after volume 2 of Intel's "64 and IA-32
 * Architectures Software Developer's Manual", whose names it keeps.
 */
package org.llamaj.kernel.x86.assembler;
