package org.llamaj.kernel.vector;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.ShortVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.ADD;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;
import static org.llamaj.kernel.vector.Lanes.ALL;
import static org.llamaj.kernel.vector.Lanes.F;
import static org.llamaj.kernel.vector.Lanes.FLOAT;
import static org.llamaj.kernel.vector.Lanes.I;
import static org.llamaj.kernel.vector.Lanes.LANES;
import static org.llamaj.kernel.vector.Lanes.LE;
import static org.llamaj.kernel.vector.Lanes.S;
import static org.llamaj.kernel.vector.Lanes.SHORT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Types without blocks. */
enum PlainFormat implements Format {
  F32 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      MemorySegment.copy(ALL, weights, ALL, target, 4L * columns);
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
        Halves.floats(fromMemorySegment(S, ALL, weights + 2L * i, LE))
            .intoMemorySegment(ALL, target + 4L * i, LE);
      }
      for (; i < columns; i++) {
        ALL.set(FLOAT, target + 4L * i, Float.float16ToFloat(ALL.get(SHORT, weights + 2L * i)));
      }
    }

    @Override
    float dot(long weights, long x, int columns) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = s0;
      int i = 0;
      for (; i <= columns - 2 * LANES; i += 2 * LANES) {
        s0 =
            Halves.floats(fromMemorySegment(S, ALL, weights + 2L * i, LE))
                .fma(fromMemorySegment(F, ALL, x + 4L * i, LE), s0);
        s1 =
            Halves.floats(fromMemorySegment(S, ALL, weights + 2L * (i + LANES), LE))
                .fma(fromMemorySegment(F, ALL, x + 4L * (i + LANES), LE), s1);
      }
      float sum = s0.add(s1).reduceLanes(ADD);
      for (; i < columns; i++) {
        sum += Float.float16ToFloat(ALL.get(SHORT, weights + 2L * i)) * ALL.get(FLOAT, x + 4L * i);
      }
      return sum;
    }
  },

  BF16 {
    @Override
    public void decode(long weights, int columns, long target, Scratch scratch) {
      int i = 0;
      for (; i <= columns - LANES; i += LANES) {
        ((IntVector) fromMemorySegment(S, ALL, weights + 2L * i, LE).convertShape(S2I, I, 0))
            .lanewise(LSHL, 16)
            .reinterpretAsFloats()
            .intoMemorySegment(ALL, target + 4L * i, LE);
      }
      for (; i < columns; i++) {
        ALL.set(FLOAT, target + 4L * i, brainFloat(weights + 2L * i));
      }
    }

    @Override
    float dot(long weights, long x, int columns) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = s0;
      int i = 0;
      for (; i <= columns - 2 * LANES; i += 2 * LANES) {
        s0 =
            ((IntVector) fromMemorySegment(S, ALL, weights + 2L * i, LE).convertShape(S2I, I, 0))
                .lanewise(LSHL, 16)
                .reinterpretAsFloats()
                .fma(fromMemorySegment(F, ALL, x + 4L * i, LE), s0);
        s1 =
            ((IntVector)
                    fromMemorySegment(S, ALL, weights + 2L * (i + LANES), LE)
                        .convertShape(S2I, I, 0))
                .lanewise(LSHL, 16)
                .reinterpretAsFloats()
                .fma(fromMemorySegment(F, ALL, x + 4L * (i + LANES), LE), s1);
      }
      float sum = s0.add(s1).reduceLanes(ADD);
      for (; i < columns; i++) {
        sum += brainFloat(weights + 2L * i) * ALL.get(FLOAT, x + 4L * i);
      }
      return sum;
    }
  };

  abstract float dot(long weights, long x, int columns);

  @Override
  public void multiply(
      long weights, long rowBytes, int rows, long x, int columns, long output, Scratch scratch) {
    for (int i = 0; i < rows; i++) {
      ALL.set(FLOAT, output + 4L * i, dot(weights + i * rowBytes, x, columns));
    }
  }

  private static float brainFloat(long address) {
    return Float.intBitsToFloat(
        (ALL.get(JAVA_BYTE, address) & 0xFF | ALL.get(JAVA_BYTE, address + 1) << 8) << 16);
  }
}
