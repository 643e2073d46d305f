package org.llamaj.vision.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaException;
import org.llamaj.Picture;

/**
 * Small files that say or hold a great deal. No array of Java holds what these inflate to, so that
 * whoever inflates it whole fails, however large the heap.
 */
class DecompressionBombTest {
  private static final int BLOCK = 1 << 20;
  private static final int BLOCKS = 3 << 10; // 3 GiB
  private static final int AFTER_HEADER = 33;

  @ParameterizedTest
  @ValueSource(strings = {"zTXt", "iTXt", "iCCP"})
  void metadataIsNotInflated(String type) throws IOException {
    String head = type.equals("iTXt") ? "Comment\0\1\0\0\0" : "Comment\0\0";
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    data.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
    data.writeBytes(zeros());
    byte[] bomb = withChunk(written("png"), type, data.toByteArray());
    assertThat(bomb.length).isLessThan(8 << 20);
    RgbImage image = ImageDecoder.decode(Picture.of(bomb));
    assertThat(image.rgb()).isEqualTo(ImageDecoder.decode(Picture.of(written("png"))).rgb());
  }

  /** More samples than the header promises are left alone. */
  @Test
  void samplesBeyondTheSizeAreNotInflated() throws IOException {
    byte[] png = written("png");
    byte[] bomb = withChunk(Arrays.copyOf(png, AFTER_HEADER), "IDAT", zeros());
    RgbImage image = ImageDecoder.decode(Picture.of(bomb));
    assertThat(image.rgb()).hasSize(3 * 8 * 6).containsOnly(0);
  }

  @Test
  void hugeSizesAreRefusedByTheirHeaderAlone() throws IOException {
    byte[] png = written("png");
    ByteBuffer header = ByteBuffer.wrap(png);
    header.putInt(16, 20_000).putInt(20, 20_000);
    CRC32 crc = new CRC32();
    crc.update(png, 12, 17);
    header.putInt(29, (int) crc.getValue());
    assertRefused(png, "20000 x 20000");

    byte[] jpeg = written("jpeg");
    int frame = 0; // FF C0, length, bits, height, width
    while (jpeg[frame] != (byte) 0xFF || jpeg[frame + 1] != (byte) 0xC0) {
      frame++;
    }
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 20_000).putShort(frame + 7, (short) 20_000);
    assertRefused(jpeg, "20000 x 20000");
  }

  private static void assertRefused(byte[] file, String size) {
    assertThatThrownBy(() -> ImageDecoder.size(Picture.of(file)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(size);
    assertThatThrownBy(() -> ImageDecoder.decode(Picture.of(file)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(size);
  }

  private static byte[] written(String format) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BufferedImage image = new BufferedImage(8, 6, BufferedImage.TYPE_INT_RGB);
    image.setRGB(3, 2, 0xFF8040);
    assertThat(ImageIO.write(image, format, bytes)).isTrue();
    return bytes.toByteArray();
  }

  /** Puts a chunk after the header of a PNG. */
  private static byte[] withChunk(byte[] png, String type, byte[] data) {
    ByteBuffer all = ByteBuffer.allocate(png.length + 12 + data.length);
    all.put(png, 0, AFTER_HEADER).putInt(data.length);
    int start = all.position();
    all.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data);
    CRC32 crc = new CRC32();
    crc.update(all.array(), start, all.position() - start);
    all.putInt((int) crc.getValue()).put(png, AFTER_HEADER, png.length - AFTER_HEADER);
    return all.array();
  }

  /** Zeros in zlib's format, without an end: one block that stands for itself, again and again. */
  private static byte[] zeros() {
    byte[] block = new byte[BLOCK];
    try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION)) {
      deflater.setInput(new byte[BLOCK]);
      int headed = deflater.deflate(block, 0, BLOCK, Deflater.FULL_FLUSH);
      ByteBuffer all = ByteBuffer.allocate(2 + BLOCKS * (headed - 2));
      all.put(block, 0, 2);
      for (int i = 0; i < BLOCKS; i++) {
        all.put(block, 2, headed - 2);
      }
      return all.array();
    }
  }
}
