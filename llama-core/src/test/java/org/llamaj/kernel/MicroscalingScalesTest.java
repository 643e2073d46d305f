package org.llamaj.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/**
 * All 256 scales of MXFP4 and NVFP4, those that are no numbers too, are the same on all kernels.
 */
class MicroscalingScalesTest {

  @ParameterizedTest
  @MethodSource("org.llamaj.kernel.SplitKernelsTest#providers")
  void everyScaleIsWhatTheSpecificationSays(KernelProvider provider) {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(1);
        Kernels kernels = provider.open(workers)) {
      for (ElementType type : new ElementType[] {ElementType.MXFP4, ElementType.NVFP4}) {
        Tensor rows = aRowForEachScale(type, arena);
        int columns = type.blockSize();
        FloatMatrix one = FloatMatrix.allocate(arena, 1, columns);
        one.data().set(ValueLayout.JAVA_FLOAT, 0, 1);
        FloatMatrix first = FloatMatrix.allocate(arena, 1, 256);
        kernels.project(one, 1, new Projection(kernels.weightMatrix(rows), first));
        for (int scale = 0; scale < 256; scale++) {
          float[] row = rows.rowAsFloats(scale);
          float found = first.get(0, scale);
          assertThat(Float.isNaN(found))
              .as("%s, scale %d: %s", type, scale, found)
              .isEqualTo(Float.isNaN(row[0]));
          assertThat(Float.isNaN(row[0]))
              .as("%s, scale %d", type, scale)
              .isEqualTo(type == ElementType.MXFP4 && scale == 255);
        }
      }
    }
  }

  /** Blocks whose first value is twice its scale, and all others nothing. */
  private static Tensor aRowForEachScale(ElementType type, Arena arena) {
    int scales = type == ElementType.MXFP4 ? 1 : 4;
    Shape shape = Shape.of(256, type.blockSize());
    MemorySegment data = arena.allocate(type.bytes(shape), 64);
    for (int scale = 0; scale < 256; scale++) {
      MemorySegment block = data.asSlice((long) scale * type.blockBytes(), type.blockBytes());
      block.set(ValueLayout.JAVA_BYTE, 0, (byte) scale);
      block.set(ValueLayout.JAVA_BYTE, scales, (byte) 4);
    }
    return new Tensor(type.name(), type, shape, data);
  }
}
