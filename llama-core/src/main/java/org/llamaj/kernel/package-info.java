/**
 * The arithmetic a transformer is made of, behind one narrow interface, {@link
 * org.llamaj.kernel.Kernels}, that each instruction set implements in a package of its own. The
 * interface lives here, beside the worker pool its implementations share, and not in a general
 * service package: who writes kernels needs these types and no others.
 *
 * <p>{@code scalar} is the plain reference. All other kernels are tested against it.
 */
package org.llamaj.kernel;
