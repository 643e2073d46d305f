package org.llamaj.tensor.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.tensor.ElementType;

class DequantizerGoldenTest {
  @ParameterizedTest
  @CsvSource({
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
    "Q6_K", "Q8_K", "IQ4_NL", "IQ4_XS", "Q1_0", "Q2_0"
  })
  void equals(ElementType type) throws IOException {
    Path folder = Path.of(System.getProperty("golden.dir", "none"), "quant");
    Assumptions.assumeTrue(Files.isDirectory(folder), "no golden data");
    for (String kind : new String[] {"", ".random"}) {
      byte[] blocks = Files.readAllBytes(folder.resolve(type + kind + ".bin"));
      byte[] expectedBytes = Files.readAllBytes(folder.resolve(type + kind + ".f32"));
      float[] expected = new float[expectedBytes.length / 4];
      ByteBuffer.wrap(expectedBytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(expected);
      float[] found = new float[expected.length];
      Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), 0, found, 0, found.length);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i]).as("%s%s[%d]", type, kind, i).isEqualTo(expected[i] + 0f);
      }
    }
  }
}
