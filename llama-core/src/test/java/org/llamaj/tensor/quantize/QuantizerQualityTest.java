package org.llamaj.tensor.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.aggregator.ArgumentsAccessor;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Root mean square errors beside those of ggml's quantizers on the same values: 16 rows, from
 * Gaussian to one outlier in 256.
 */
class QuantizerQualityTest {
  private static final int COLUMNS = 512;

  @ParameterizedTest(name = "{0}")
  @CsvFileSource(resources = "ggml-rmse.csv")
  void errorIsNoLargerThanThatOfGgml(ArgumentsAccessor arguments) throws IOException {
    ElementType type = arguments.get(0, ElementType.class);
    float[] source = source();
    float[] found = roundTrip(type, source, COLUMNS, new float[0]);
    double theirSum = 0;
    double ourSum = 0;
    for (int row = 0; row < source.length / COLUMNS; row++) {
      double theirs = arguments.getDouble(row + 1);
      double ours = rmse(source, found, row * COLUMNS, COLUMNS);
      double scale = rmse(source, new float[source.length], row * COLUMNS, COLUMNS);
      assertThat(ours).as("row %d", row).isLessThanOrEqualTo(1.03 * theirs + 1e-3 * scale);
      theirSum += theirs * theirs;
      ourSum += ours * ours;
    }
    assertThat(Math.sqrt(ourSum)).isLessThanOrEqualTo(1.000001 * Math.sqrt(theirSum));
  }

  static float[] source() throws IOException {
    try (InputStream in = QuantizerQualityTest.class.getResourceAsStream("source.f32")) {
      byte[] bytes = in.readAllBytes();
      float[] floats = new float[bytes.length / 4];
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
      return floats;
    }
  }

  static float[] roundTrip(ElementType type, float[] source, int columns, float[] importance) {
    int rows = source.length / columns;
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) (rows * type.rowBytes(columns))]);
    Quantizer.of(type).quantize(source, columns, rows, importance, blocks, 0);
    float[] decoded = new float[source.length];
    Dequantizer.dequantize(type, blocks, 0, decoded, 0, decoded.length);
    return decoded;
  }

  static double rmse(float[] expected, float[] found, int from, int count) {
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      double error = (double) expected[i] - found[i];
      sum += error * error;
    }
    return Math.sqrt(sum / count);
  }
}
