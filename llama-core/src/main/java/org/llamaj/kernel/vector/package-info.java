/**
 * Kernels in the Vector API, for every machine whose vectors C2 knows.
 *
 * <p>What C2 does well and badly, as seen in the code it emits (JDK 25, AVX-512 and AVX2):
 *
 * <ul>
 *   <li>Loads from a segment that is all of memory, at {@code base + constant * i} with an int loop
 *       variable, become plain memory operands without checks, and the loop is unrolled.
 *   <li>Each Vector API call inlines to hundreds of nodes. When a method exceeds 18000 of them, C2
 *       no longer inlines what is not marked for it in the JDK: a helper of ours that returns a
 *       vector then boxes it, and the loop is ten times slower. So loop bodies handle one block,
 *       helpers are tiny, and C2 does the unrolling.
 *   <li>Species and constant vectors must be static final.
 * </ul>
 */
package org.llamaj.kernel.vector;
