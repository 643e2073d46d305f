package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.VECTOR_BYTES;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;

/**
 * The core of all matrix products with several rows on both sides: a tile of C = A x B that stays
 * in registers while k runs. B is two vectors wide; A is read value by value.
 *
 * <pre>
 * C[r][0 .. 2 LANES) (+)= sum over k of A[r][k] * B[k][0 .. 2 LANES)
 * </pre>
 *
 * Strides are in bytes.
 */
final class Tile {
  /** Columns of a tile. */
  static final int WIDTH = 2 * Lanes.LANES;

  private Tile() {}

  /** A tile of any number of rows. */
  static void multiply(
      int rows,
      long a,
      long aStride,
      long b,
      long bStride,
      int k,
      long c,
      long cStride,
      boolean add) {
    int r = 0;
    if (Lanes.LANES != 8) { // 32 registers, or 256-bit vectors on a machine that may have 16
      for (; r <= rows - 8; r += 8) {
        eight(a + r * aStride, aStride, b, bStride, k, c + r * cStride, cStride, add);
      }
    }
    for (; r <= rows - 4; r += 4) {
      four(a + r * aStride, aStride, b, bStride, k, c + r * cStride, cStride, add);
    }
    for (; r < rows; r++) {
      one(a + r * aStride, b, bStride, k, c + r * cStride, add);
    }
  }

  private static void one(long a, long b, long bStride, int k, long c, boolean add) {
    FloatVector c0 = FloatVector.zero(F);
    FloatVector c1 = c0;
    for (int i = 0; i < k; i++) {
      FloatVector x = FloatVector.broadcast(F, f32(a + 4L * i));
      c0 = x.fma(floats(b + bStride * i), c0);
      c1 = x.fma(floats(b + bStride * i + VECTOR_BYTES), c1);
    }
    if (add) {
      c0 = c0.add(floats(c));
      c1 = c1.add(floats(c + VECTOR_BYTES));
    }
    store(c0, c);
    store(c1, c + VECTOR_BYTES);
  }

  private static void four(
      long a, long aStride, long b, long bStride, int k, long c, long cStride, boolean add) {
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
      FloatVector b0 = floats(b + bStride * i);
      FloatVector b1 = floats(b + bStride * i + VECTOR_BYTES);
      FloatVector x = FloatVector.broadcast(F, f32(a + 4L * i));
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(F, f32(a1 + 4L * i));
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(F, f32(a2 + 4L * i));
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(F, f32(a3 + 4L * i));
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
    }
    put(c00, c01, c, add);
    put(c10, c11, c + cStride, add);
    put(c20, c21, c + 2 * cStride, add);
    put(c30, c31, c + 3 * cStride, add);
  }

  private static void eight(
      long a, long aStride, long b, long bStride, int k, long c, long cStride, boolean add) {
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
      FloatVector b0 = floats(b + bStride * i);
      FloatVector b1 = floats(b + bStride * i + VECTOR_BYTES);
      FloatVector x = FloatVector.broadcast(F, f32(a + 4L * i));
      c00 = x.fma(b0, c00);
      c01 = x.fma(b1, c01);
      x = FloatVector.broadcast(F, f32(a1 + 4L * i));
      c10 = x.fma(b0, c10);
      c11 = x.fma(b1, c11);
      x = FloatVector.broadcast(F, f32(a2 + 4L * i));
      c20 = x.fma(b0, c20);
      c21 = x.fma(b1, c21);
      x = FloatVector.broadcast(F, f32(a3 + 4L * i));
      c30 = x.fma(b0, c30);
      c31 = x.fma(b1, c31);
      x = FloatVector.broadcast(F, f32(a4 + 4L * i));
      c40 = x.fma(b0, c40);
      c41 = x.fma(b1, c41);
      x = FloatVector.broadcast(F, f32(a5 + 4L * i));
      c50 = x.fma(b0, c50);
      c51 = x.fma(b1, c51);
      x = FloatVector.broadcast(F, f32(a6 + 4L * i));
      c60 = x.fma(b0, c60);
      c61 = x.fma(b1, c61);
      x = FloatVector.broadcast(F, f32(a7 + 4L * i));
      c70 = x.fma(b0, c70);
      c71 = x.fma(b1, c71);
    }
    put(c00, c01, c, add);
    put(c10, c11, c + cStride, add);
    put(c20, c21, c + 2 * cStride, add);
    put(c30, c31, c + 3 * cStride, add);
    put(c40, c41, c + 4 * cStride, add);
    put(c50, c51, c + 5 * cStride, add);
    put(c60, c61, c + 6 * cStride, add);
    put(c70, c71, c + 7 * cStride, add);
  }

  private static void put(FloatVector left, FloatVector right, long c, boolean add) {
    store(add ? left.add(floats(c)) : left, c);
    store(add ? right.add(floats(c + VECTOR_BYTES)) : right, c + VECTOR_BYTES);
  }
}
