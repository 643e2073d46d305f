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
 *   <li>A block size that is no power of two costs several additions and shifts per address, with
 *       their operands on the stack, and a loop that C2 splits for range checks keeps some of them.
 *       Pointers that advance by a block, masked with {@link
 *       org.llamaj.kernel.vector.Lanes#ADDRESS}, need none of both: C2 knows the range of {@code
 *       pointer & mask} plus a constant. This alone made products with Q4_0 half as fast again, and
 *       those with Q4_K 1.8 times as fast.
 *   <li>An operation with a subnormal float takes some 150 cycles on Intel's processors. The scales
 *       of Q6_K and Q4_K blocks are subnormal halves in ordinary models, and once were multiplied
 *       into shape: that took half of a decode step. Single ones go through {@code float16ToFloat},
 *       vectors of them through {@link org.llamaj.kernel.vector.Halves}.
 *   <li>There is no way from the Vector API to the integer dot products of VNNI, nor to VPMADDWD:
 *       that one C2 only makes of scalar loops over arrays of short. But VPMULLW and VPADDW are
 *       there: {@link org.llamaj.kernel.vector.Rounding} tells how weights of 4 to 6 bits meet
 *       activations of 9 or 10 bits in lanes of 16 bits, with half the instructions of float32.
 *       This took products with one row from 7.9 to 10.8 GB/s of weights (Q4_0), from 5.1 to 9.5
 *       (Q4_K), from 6.7 to 13.8 (Q6_K). Other products are in float32.
 *   <li>A shift of 16-bit lanes by a constant becomes one by a register, two instructions in one; a
 *       shift of 32-bit lanes does not.
 *   <li>Two stores and a load that spans both wait for each other; such unpacking is done in two
 *       loops.
 *   <li>Nothing is loaded ahead: a load is no prefetch, for the processor retires in order and
 *       waits for it. Two streams are read instead, the rows of both halves of a chunk, 32 KiB
 *       apart: each has the processor's prefetcher fetch lines while the other is computed on.
 *       Measured with loops of 30 vector instructions per 64 bytes, in C, two threads, a mapped
 *       file, medians of 61 alternating runs (GB/s): a plain sum 18; the loop on one stream 10.9,
 *       on two 13.1, with prefetch instructions, which the Vector API lacks, 14.4 to 15.8; with
 *       loads of the first lines of the next 1 to 8 pages 9.0 to 11.1; a block of 2 or 4 KiB read
 *       first, then computed, 9.9 to 10.5; prefetches of the next page's first lines alone 11.7.
 *       Two rows of one product also share the loads of activations and the arithmetic of
 *       addresses. Products with rows of 2048 columns became 1.15 times as fast (Q8_0) and 1.17
 *       times (Q4_0). Fewer instructions per byte help as well: more lines are then within reach of
 *       out-of-order execution.
 *   <li>Four streams and few instructions took Q8_0 further: its rows share one int index, with the
 *       activations laid out at the same stride, so that no address is computed, and scales come
 *       from {@link org.llamaj.kernel.vector.Halves#FLOATS} with a load that broadcasts (C2 makes
 *       one VBROADCASTSS of a broadcast of an array's element). A block of two rows takes 26
 *       instructions instead of 42, and C2 unrolls the loop. Two threads, a mapped file, 301
 *       alternating rounds: 15.5 GB/s before, 16.5 on two streams, 17.2 on four; with 256 KiB as a
 *       thread's portion in place of 64 KiB, which makes the streams longer, 16.1 beside 12.9 and
 *       17.6 beside 14.7 of two streams. Eight streams: 8.7 to 15.3. In Q4_0 the same index made C2
 *       unroll a loop that has no registers left (0.83 to 0.87 times), four rows no less; in Q4_K
 *       and Q6_K, one row after the other, four streams gained nothing.
 *   <li>An order of our own for Q8_0 in huge pages was tried and not kept: 16 rows interleaved, so
 *       that each lane reads its own row and products are in lanes of 16 bits. From the cache, one
 *       thread, it took 17.3 GB/s beside 14.5 of the four streams of rows; from memory, two
 *       threads, 15.5 and 16.8 beside 15.5 and 17.4; and generating 32 tokens with a 1B 12.7 to
 *       13.0 tokens per second beside 14.2, 96 tokens (at half clock) 13.3 beside 13.0; single
 *       runs. Why what it gains in the cache does not show from memory was not found. What it
 *       taught: a loop of a constant number of passes within the loop over blocks is not unrolled
 *       when it is long; and a vector that is carried from pass to pass must begin as {@code zero}
 *       or {@code broadcast}, for a static constant makes it an object.
 *   <li>Helpers of ours that return vectors are inlined last: {@code
 *       -XX:CompileCommand=PrintInlining} names NodeCountInliningCutoff where there were too many
 *       nodes, and then the code has to be written out.
 *   <li>Species and constant vectors must be static final.
 * </ul>
 */
package org.llamaj.kernel.vector;
