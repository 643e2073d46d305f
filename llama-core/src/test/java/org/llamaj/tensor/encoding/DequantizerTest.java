package org.llamaj.tensor.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

class DequantizerTest {
  @Test
  void integersAndDoublesAreWidenedOrRounded() {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putDouble(-2.5).putLong(-3);
    MemorySegment source = MemorySegment.ofBuffer(bytes.flip());
    assertThat(decode(ElementType.F64, source, 0)).isEqualTo(-2.5f);
    assertThat(decode(ElementType.I64, source, 8)).isEqualTo(-3f);
    assertThat(decode(ElementType.I32, source, 8)).isEqualTo(-3f);
    assertThat(decode(ElementType.I16, source, 8)).isEqualTo(-3f);
    assertThat(decode(ElementType.I8, source, 8)).isEqualTo(-3f);
  }

  @Test
  void rowsOfTensorsAreFoundByTheirNumber() {
    ByteBuffer bytes = ByteBuffer.allocate(3 * 34).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < 3; row++) {
      bytes.putShort(row * 34, Float.floatToFloat16(0.5f)).put(row * 34 + 2, (byte) (10 * row));
    }
    Tensor tensor =
        new Tensor("t", ElementType.Q8_0, Shape.of(3, 32), MemorySegment.ofBuffer(bytes));
    float[] out = new float[40];
    Dequantizer.dequantizeRow(tensor, 2, out, 8);
    assertThat(out[8]).isEqualTo(10f);
    assertThat(out[9]).isZero();
  }

  @Test
  void partsOfBlocksAreRefused() {
    MemorySegment block = MemorySegment.ofArray(new byte[18]);
    assertThatThrownBy(
            () -> Dequantizer.dequantize(ElementType.Q4_0, block, 0, new float[32], 0, 16))
        .isInstanceOf(LlamaException.class)
        .hasMessage("Q4_0: expected a multiple of 32 values, found 16");
  }

  private static float decode(ElementType type, MemorySegment source, long offset) {
    float[] out = new float[1];
    Dequantizer.dequantize(type, source, offset, out, 0, 1);
    return out[0];
  }
}
