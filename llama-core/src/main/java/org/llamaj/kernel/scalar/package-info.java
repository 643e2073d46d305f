/**
 * The plain reference: each operation as its formula reads, on weights that the dequantiser has
 * turned into floats. Needs no flag and no native access, and all other kernels are compared with
 * it.
 */
package org.llamaj.kernel.scalar;
