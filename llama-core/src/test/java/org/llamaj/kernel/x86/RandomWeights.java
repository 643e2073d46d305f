package org.llamaj.kernel.x86;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/** Weights of random bits in all their values and sub-scales; only the scales are kept small. */
final class RandomWeights {
  private static final int UNALIGNED = 2;

  private RandomWeights() {}

  static Tensor tensor(Arena arena, ElementType type, int rows, int columns, long seed) {
    long bytes = rows * type.rowBytes(columns);
    MemorySegment data = arena.allocate(bytes + UNALIGNED, 64).asSlice(UNALIGNED, bytes);
    fill(data, type, seed);
    return new Tensor("test.weight", type, Shape.of(rows, columns), data);
  }

  static void fill(MemorySegment data, ElementType type, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (long offset = 0; offset < data.byteSize(); offset += type.blockBytes()) {
      switch (type) {
        case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset, value(random));
        case F16 -> setHalf(data, offset, value(random));
        case BF16 ->
            data.set(
                ValueLayout.JAVA_SHORT_UNALIGNED,
                offset,
                (short) (Float.floatToRawIntBits(value(random)) >> 16));
        default -> {
          for (int i = 0; i < type.blockBytes(); i++) {
            data.set(ValueLayout.JAVA_BYTE, offset + i, (byte) random.nextInt());
          }
          for (int place : scales(type)) {
            setHalf(data, offset + place, (float) random.nextDouble(0.01, 0.03));
          }
        }
      }
    }
  }

  private static float value(SplittableRandom random) {
    return (float) random.nextDouble(-1, 1);
  }

  private static void setHalf(MemorySegment data, long offset, float value) {
    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, Float.floatToFloat16(value));
  }

  private static int[] scales(ElementType type) {
    return switch (type) {
      case Q8_0, Q4_0, Q5_0, IQ4_NL, IQ4_XS -> new int[] {0};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case Q6_K -> new int[] {208};
      case Q3_K -> new int[] {108};
      case Q2_K -> new int[] {80, 82};
      default -> throw new IllegalArgumentException(type.toString());
    };
  }
}
