package org.llamaj.tensor.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.llamaj.tensor.ElementType;

/** Blocks and their floats as ggml's reference computes them, bit for bit. */
class DequantizerGoldenTest {
  @ParameterizedTest
  @CsvFileSource(resources = "sha256.csv")
  void randomBlocksGiveTheReferenceFloats(ElementType type, int count, String sha256)
      throws Exception {
    byte[] blocks;
    try (InputStream in = getClass().getResourceAsStream(type + ".bin")) {
      blocks = in.readAllBytes();
    }
    byte[] found = new byte[4 * count];
    ByteBuffer.wrap(found)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .put(decode(type, blocks, count));
    assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(found)))
        .isEqualTo(sha256);
  }

  /** The same with the place of a difference, and with blocks as ggml's quantizer writes them. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {
        "Q8_1", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64", "BOOL", "F64", "F8_E4M3",
        "F8_E5M2"
      })
  void everyValueIsTheReferenceValue(ElementType type) throws IOException {
    Path folder = Path.of(System.getProperty("golden.dir", ""), "quant");
    assumeTrue(Files.isDirectory(folder), "no reference data in " + folder);
    for (String kind : new String[] {"", ".random"}) {
      float[] expected = floats(Files.readAllBytes(folder.resolve(type + kind + ".f32")));
      byte[] blocks = Files.readAllBytes(folder.resolve(type + kind + ".bin"));
      float[] found = decode(type, blocks, expected.length);
      for (int i = 0; i < found.length; i++) {
        assertThat(Float.floatToRawIntBits(found[i]))
            .as("%s%s[%d]: %s, %s", type, kind, i, expected[i], found[i])
            .isEqualTo(Float.floatToRawIntBits(expected[i]));
      }
    }
  }

  private static float[] decode(ElementType type, byte[] blocks, int count) {
    float[] out = new float[count];
    Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), 0, out, 0, count);
    return out;
  }

  private static float[] floats(byte[] bytes) {
    float[] floats = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
    return floats;
  }
}
