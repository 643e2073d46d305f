/**
 * Pieces that kernels are made of, one step above single instructions: the frame of a function with
 * its constants and loops ({@code KernelBuilder}), and the emission of what several kernels do on
 * their way: transposing, rounding to bfloat16 and to 8 bits, the exponential function.
 */
package org.llamaj.kernel.x86.code;
