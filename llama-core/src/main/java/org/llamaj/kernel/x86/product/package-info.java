/**
 * Matrix products: which code a weight matrix and a number of activation rows want ({@code
 * WeightCode}), and how the work is divided among threads ({@code Projector}, {@code RowChunks}).
 * Few rows meet the streamed weights of {@code gemv}, many rows the layouts of {@code panel}.
 */
package org.llamaj.kernel.x86.product;
