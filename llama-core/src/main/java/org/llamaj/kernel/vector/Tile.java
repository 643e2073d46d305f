package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;

import jdk.incubator.vector.FloatVector;

/**
 * The core of all matrix products with several rows on both sides: a tile of C = A x B that stays
 * in registers while k runs.
 *
 * <pre>
 * C[r][0 .. WIDTH) (+)= sum over k of A[r][k] * B[k][0 .. WIDTH)
 * </pre>
 *
 * A is read value by value; the rows of B, two vectors long, follow one another without gaps.
 * Strides are in bytes. The bodies are written out without helpers, see the package description.
 */
final class Tile {
  /** Columns of a tile. */
  static final int WIDTH = 2 * Lanes.LANES;

  /** Bytes of a row of B. */
  static final long STRIDE = 2L * VECTOR_BYTES;

  private Tile() {}

  /** A tile of any number of rows. */
  static void multiply(
      int rows, long a, long aStride, long b, int k, long c, long cStride, boolean add) {
    int r = 0;
    if (Lanes.LANES != 8) { // 256-bit vectors: there may be only 16 registers
      for (; r <= rows - 8; r += 8) {
        eight(a + r * aStride, aStride, b, k, c + r * cStride, cStride, add);
      }
    }
    for (; r <= rows - 4; r += 4) {
      four(a + r * aStride, aStride, b, k, c + r * cStride, cStride, add);
    }
    for (; r < rows; r++) {
      one(a + r * aStride, b, k, c + r * cStride, add);
    }
  }

  private static void one(long a, long b, int k, long c, boolean add) {
    FloatVector c00 = FloatVector.zero(F);
    FloatVector c01 = c00;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i + VECTOR_BYTES, LE);
      FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 4L * i));
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
    }
    if (add) {
      c00 = c00.add(FloatVector.fromMemorySegment(F, ALL, c, LE));
      c01 = c01.add(FloatVector.fromMemorySegment(F, ALL, c + VECTOR_BYTES, LE));
    }
    c00.intoMemorySegment(ALL, c, LE);
    c01.intoMemorySegment(ALL, c + VECTOR_BYTES, LE);
  }

  private static void four(long a, long aStride, long b, int k, long c, long cStride, boolean add) {
    FloatVector c00 = FloatVector.zero(F);
    FloatVector c01 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    long a1 = a + aStride;
    long a2 = a1 + aStride;
    long a3 = a2 + aStride;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i + VECTOR_BYTES, LE);
      FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 4L * i));
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + 4L * i));
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + 4L * i));
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a3 + 4L * i));
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    if (add) {
      c00 = c00.add(FloatVector.fromMemorySegment(F, ALL, c, LE));
      c01 = c01.add(FloatVector.fromMemorySegment(F, ALL, c + VECTOR_BYTES, LE));
      c10 = c10.add(FloatVector.fromMemorySegment(F, ALL, c + cStride, LE));
      c11 = c11.add(FloatVector.fromMemorySegment(F, ALL, c + cStride + VECTOR_BYTES, LE));
      c20 = c20.add(FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride, LE));
      c21 = c21.add(FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride + VECTOR_BYTES, LE));
      c30 = c30.add(FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride, LE));
      c31 = c31.add(FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride + VECTOR_BYTES, LE));
    }
    c00.intoMemorySegment(ALL, c, LE);
    c01.intoMemorySegment(ALL, c + VECTOR_BYTES, LE);
    c10.intoMemorySegment(ALL, c + cStride, LE);
    c11.intoMemorySegment(ALL, c + cStride + VECTOR_BYTES, LE);
    c20.intoMemorySegment(ALL, c + 2 * cStride, LE);
    c21.intoMemorySegment(ALL, c + 2 * cStride + VECTOR_BYTES, LE);
    c30.intoMemorySegment(ALL, c + 3 * cStride, LE);
    c31.intoMemorySegment(ALL, c + 3 * cStride + VECTOR_BYTES, LE);
  }

  private static void eight(
      long a, long aStride, long b, int k, long c, long cStride, boolean add) {
    FloatVector c00 = FloatVector.zero(F);
    FloatVector c01 = c00;
    FloatVector c10 = c00;
    FloatVector c11 = c00;
    FloatVector c20 = c00;
    FloatVector c21 = c00;
    FloatVector c30 = c00;
    FloatVector c31 = c00;
    FloatVector c40 = c00;
    FloatVector c41 = c00;
    FloatVector c50 = c00;
    FloatVector c51 = c00;
    FloatVector c60 = c00;
    FloatVector c61 = c00;
    FloatVector c70 = c00;
    FloatVector c71 = c00;
    long a1 = a + aStride;
    long a2 = a1 + aStride;
    long a3 = a2 + aStride;
    long a4 = a3 + aStride;
    long a5 = a4 + aStride;
    long a6 = a5 + aStride;
    long a7 = a6 + aStride;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, b + STRIDE * i + VECTOR_BYTES, LE);
      FloatVector x = FloatVector.broadcast(F, ALL.get(FLOAT, a + 4L * i));
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + 4L * i));
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + 4L * i));
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a3 + 4L * i));
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a4 + 4L * i));
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a5 + 4L * i));
      c50 = x.fma(b0, c50);
      c51 = x.fma(b1, c51);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a6 + 4L * i));
      c60 = x.fma(b0, c60);
      c61 = x.fma(b1, c61);
      x = FloatVector.broadcast(F, ALL.get(FLOAT, a7 + 4L * i));
      c70 = x.fma(b0, c70);
      c71 = x.fma(b1, c71);
    }
    if (add) {
      c00 = c00.add(FloatVector.fromMemorySegment(F, ALL, c, LE));
      c01 = c01.add(FloatVector.fromMemorySegment(F, ALL, c + VECTOR_BYTES, LE));
      c10 = c10.add(FloatVector.fromMemorySegment(F, ALL, c + cStride, LE));
      c11 = c11.add(FloatVector.fromMemorySegment(F, ALL, c + cStride + VECTOR_BYTES, LE));
      c20 = c20.add(FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride, LE));
      c21 = c21.add(FloatVector.fromMemorySegment(F, ALL, c + 2 * cStride + VECTOR_BYTES, LE));
      c30 = c30.add(FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride, LE));
      c31 = c31.add(FloatVector.fromMemorySegment(F, ALL, c + 3 * cStride + VECTOR_BYTES, LE));
      c40 = c40.add(FloatVector.fromMemorySegment(F, ALL, c + 4 * cStride, LE));
      c41 = c41.add(FloatVector.fromMemorySegment(F, ALL, c + 4 * cStride + VECTOR_BYTES, LE));
      c50 = c50.add(FloatVector.fromMemorySegment(F, ALL, c + 5 * cStride, LE));
      c51 = c51.add(FloatVector.fromMemorySegment(F, ALL, c + 5 * cStride + VECTOR_BYTES, LE));
      c60 = c60.add(FloatVector.fromMemorySegment(F, ALL, c + 6 * cStride, LE));
      c61 = c61.add(FloatVector.fromMemorySegment(F, ALL, c + 6 * cStride + VECTOR_BYTES, LE));
      c70 = c70.add(FloatVector.fromMemorySegment(F, ALL, c + 7 * cStride, LE));
      c71 = c71.add(FloatVector.fromMemorySegment(F, ALL, c + 7 * cStride + VECTOR_BYTES, LE));
    }
    c00.intoMemorySegment(ALL, c, LE);
    c01.intoMemorySegment(ALL, c + VECTOR_BYTES, LE);
    c10.intoMemorySegment(ALL, c + cStride, LE);
    c11.intoMemorySegment(ALL, c + cStride + VECTOR_BYTES, LE);
    c20.intoMemorySegment(ALL, c + 2 * cStride, LE);
    c21.intoMemorySegment(ALL, c + 2 * cStride + VECTOR_BYTES, LE);
    c30.intoMemorySegment(ALL, c + 3 * cStride, LE);
    c31.intoMemorySegment(ALL, c + 3 * cStride + VECTOR_BYTES, LE);
    c40.intoMemorySegment(ALL, c + 4 * cStride, LE);
    c41.intoMemorySegment(ALL, c + 4 * cStride + VECTOR_BYTES, LE);
    c50.intoMemorySegment(ALL, c + 5 * cStride, LE);
    c51.intoMemorySegment(ALL, c + 5 * cStride + VECTOR_BYTES, LE);
    c60.intoMemorySegment(ALL, c + 6 * cStride, LE);
    c61.intoMemorySegment(ALL, c + 6 * cStride + VECTOR_BYTES, LE);
    c70.intoMemorySegment(ALL, c + 7 * cStride, LE);
    c71.intoMemorySegment(ALL, c + 7 * cStride + VECTOR_BYTES, LE);
  }
}
