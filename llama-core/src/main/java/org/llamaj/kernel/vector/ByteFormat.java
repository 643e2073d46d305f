package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.broadcast;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.signedBytes;
import static org.llamaj.kernel.vector.Lanes.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Q8_0: half scale, 32 signed bytes. */
enum ByteFormat implements Format {
  INSTANCE;

  private static final int BLOCK = 32;
  private static final int BLOCK_BYTES = 34;

  @Override
  public void decode(long weights, int columns, long target, Scratch scratch) {
    decode(weights, columns, target);
  }

  private static void decode(long weights, int columns, long target) {
    for (int b = 0; b < columns / BLOCK; b++) {
      long block = weights + (long) BLOCK_BYTES * b;
      float scale = f16(block);
      for (int i = 0; i < BLOCK; i += LANES) {
        store(signedBytes(block + 2 + i).mul(scale), target + 4L * (BLOCK * b + i));
      }
    }
  }

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, columns / BLOCK));
    }
  }

  private static float dot(long weights, long x, int blocks) {
    FloatVector sum = FloatVector.zero(Lanes.F);
    for (int b = 0; b < blocks; b++) {
      long block = weights + (long) BLOCK_BYTES * b;
      long xb = x + 4L * BLOCK * b;
      FloatVector t = signedBytes(block + 2).mul(floats(xb));
      for (int i = LANES; i < BLOCK; i += LANES) {
        t = signedBytes(block + 2 + i).fma(floats(xb + 4L * i), t);
      }
      sum = t.fma(broadcast(f16(block)), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }
}
