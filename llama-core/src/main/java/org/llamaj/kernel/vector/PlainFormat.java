package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.brainFloats;
import static org.llamaj.kernel.vector.Lanes.f16;
import static org.llamaj.kernel.vector.Lanes.f32;
import static org.llamaj.kernel.vector.Lanes.floats;
import static org.llamaj.kernel.vector.Lanes.halves;
import static org.llamaj.kernel.vector.Lanes.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Types without blocks. */
enum PlainFormat implements Format {
  F32 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      MemorySegment.copy(Lanes.ALL, weights, Lanes.ALL, target, 4L * columns);
    }

    @Override
    float dot(long weights, long x, int columns) {
      return Dot.one(weights, x, columns);
    }
  },

  F16 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      int i = 0;
      for (; i <= columns - LANES; i += LANES) {
        store(halves(weights + 2L * i), target + 4L * i);
      }
      for (; i < columns; i++) {
        f32(target + 4L * i, f16(weights + 2L * i));
      }
    }

    @Override
    float dot(long weights, long x, int columns) {
      FloatVector s0 = FloatVector.zero(Lanes.F);
      FloatVector s1 = s0;
      int i = 0;
      for (; i <= columns - 2 * LANES; i += 2 * LANES) {
        s0 = halves(weights + 2L * i).fma(floats(x + 4L * i), s0);
        s1 = halves(weights + 2L * (i + LANES)).fma(floats(x + 4L * (i + LANES)), s1);
      }
      float sum = s0.add(s1).reduceLanes(VectorOperators.ADD);
      for (; i < columns; i++) {
        sum += f16(weights + 2L * i) * f32(x + 4L * i);
      }
      return sum;
    }
  },

  BF16 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      int i = 0;
      for (; i <= columns - LANES; i += LANES) {
        store(brainFloats(weights + 2L * i), target + 4L * i);
      }
      for (; i < columns; i++) {
        f32(target + 4L * i, brainFloat(weights + 2L * i));
      }
    }

    @Override
    float dot(long weights, long x, int columns) {
      FloatVector s0 = FloatVector.zero(Lanes.F);
      FloatVector s1 = s0;
      int i = 0;
      for (; i <= columns - 2 * LANES; i += 2 * LANES) {
        s0 = brainFloats(weights + 2L * i).fma(floats(x + 4L * i), s0);
        s1 = brainFloats(weights + 2L * (i + LANES)).fma(floats(x + 4L * (i + LANES)), s1);
      }
      float sum = s0.add(s1).reduceLanes(VectorOperators.ADD);
      for (; i < columns; i++) {
        sum += brainFloat(weights + 2L * i) * f32(x + 4L * i);
      }
      return sum;
    }
  };

  abstract float dot(long weights, long x, int columns);

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      f32(output + 4L * i, dot(weights + i * rowBytes, x, columns));
    }
  }

  private static float brainFloat(long address) {
    return Float.intBitsToFloat((Lanes.i8(address) & 0xFF | Lanes.i8(address + 1) << 8) << 16);
  }
}
