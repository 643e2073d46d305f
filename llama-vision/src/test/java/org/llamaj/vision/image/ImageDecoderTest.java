package org.llamaj.vision.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaException;
import org.llamaj.Picture;
import org.llamaj.kernel.Workers;

class ImageDecoderTest {

  @ParameterizedTest
  @ValueSource(strings = {"png", "bmp", "gif", "jpeg"})
  void formats(String format) throws IOException {
    RgbImage image = ImageDecoder.decode(Picture.of(written(quarters(), format)));
    assertThat(image.width()).isEqualTo(40);
    assertThat(image.height()).isEqualTo(24);
    int tolerance = format.equals("jpeg") ? 30 : 0;
    assertNear(image, 5, 5, Color.RED, tolerance);
    assertNear(image, 35, 5, Color.GREEN, tolerance);
    assertNear(image, 5, 20, Color.BLUE, tolerance);
    assertNear(image, 35, 20, Color.WHITE, tolerance);
  }

  /** Written by Pillow; libjpeg reads them like this, too. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "quarters-progressive.jpg",
        "quarters-cmyk.jpg",
        "quarters-ycck.jpg",
        "quarters.webp"
      })
  void formatsThatJavaDoesNotWrite(String file) throws IOException {
    RgbImage image = ImageDecoder.decode(resource(file));
    assertThat(image.width()).isEqualTo(40);
    assertThat(image.height()).isEqualTo(24);
    assertNear(image, 5, 5, Color.RED, 30);
    assertNear(image, 35, 5, Color.GREEN, 30);
    assertNear(image, 5, 20, Color.BLUE, 30);
    assertNear(image, 35, 20, Color.WHITE, 30);
  }

  @Test
  void webpWithoutItsPlugInIsRefusedWithAdvice() throws IOException {
    IIORegistry registry = IIORegistry.getDefaultInstance();
    List<ImageReaderSpi> plugIns = new ArrayList<>();
    registry
        .getServiceProviders(
            ImageReaderSpi.class,
            spi -> ((ImageReaderSpi) spi).getFormatNames()[0].equalsIgnoreCase("webp"),
            true)
        .forEachRemaining(plugIns::add);
    assertThat(plugIns).isNotEmpty();
    plugIns.forEach(registry::deregisterServiceProvider);
    try {
      assertRefused(resource("quarters.webp").bytes(), "com.twelvemonkeys.imageio:imageio-webp");
    } finally {
      plugIns.forEach(registry::registerServiceProvider);
    }
  }

  @Test
  void sixteenBits() throws IOException {
    BufferedImage grey = new BufferedImage(3, 1, BufferedImage.TYPE_USHORT_GRAY);
    grey.getRaster().setPixels(0, 0, 3, 1, new int[] {0, 0x80FF, 0xFFFF});
    RgbImage image = ImageDecoder.decode(Picture.of(written(grey, "png")));
    assertThat(image.rgb())
        .containsExactly(0, 0, 0, (byte) 0x80, (byte) 0x80, (byte) 0x80, -1, -1, -1);
  }

  @Test
  void palette() throws IOException {
    byte[] red = {0, (byte) 200};
    byte[] green = {10, 100};
    byte[] blue = {20, 50};
    IndexColorModel colours = new IndexColorModel(1, 2, red, green, blue);
    BufferedImage indexed = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY, colours);
    indexed.getRaster().setSample(1, 0, 0, 1);
    RgbImage image = ImageDecoder.decode(Picture.of(written(indexed, "png")));
    assertThat(image.rgb()).containsExactly(0, 10, 20, (byte) 200, 100, 50);
  }

  @Test
  void transparencyIsOnWhite() throws IOException {
    BufferedImage clear = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    clear.setRGB(0, 0, 0x00123456);
    clear.setRGB(1, 0, 0xFF123456);
    RgbImage image = ImageDecoder.decode(Picture.of(written(clear, "png")));
    assertThat(image.rgb()).containsExactly(-1, -1, -1, 0x12, 0x34, 0x56);
  }

  /** The stored picture has red at its left half; where is that when the camera was turned? */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void exifOrientation(int tag) throws IOException {
    BufferedImage stored = quarters();
    byte[] jpeg = withExif(written(stored, "jpeg"), tag);
    ImageDecoder.Size size = ImageDecoder.size(Picture.of(jpeg));
    RgbImage image = ImageDecoder.decode(Picture.of(jpeg));
    boolean swapped = tag >= 5;
    assertThat(size.width()).isEqualTo(swapped ? 24 : 40).isEqualTo(image.width());
    assertThat(size.height()).isEqualTo(swapped ? 40 : 24).isEqualTo(image.height());
    // Stored: red, green / blue, white. The corners as one reads, after EXIF 2.3's table.
    Color r = Color.RED, g = Color.GREEN, b = Color.BLUE, w = Color.WHITE;
    Color[] corners =
        switch (tag) {
          case 2 -> new Color[] {g, r, w, b};
          case 3 -> new Color[] {w, b, g, r};
          case 4 -> new Color[] {b, w, r, g};
          case 5 -> new Color[] {r, b, g, w};
          case 6 -> new Color[] {b, r, w, g};
          case 7 -> new Color[] {w, g, b, r};
          case 8 -> new Color[] {g, w, r, b};
          default -> new Color[] {r, g, b, w};
        };
    int right = image.width() - 5;
    int bottom = image.height() - 5;
    assertNear(image, 4, 4, corners[0], 30);
    assertNear(image, right, 4, corners[1], 30);
    assertNear(image, 4, bottom, corners[2], 30);
    assertNear(image, right, bottom, corners[3], 30);
  }

  @Test
  void aLongLine() throws IOException {
    BufferedImage line = new BufferedImage(100_000, 1, BufferedImage.TYPE_INT_RGB);
    Picture picture = Picture.of(written(line, "png"));
    assertThat(ImageDecoder.size(picture).width()).isEqualTo(100_000);
    try (Workers workers = new Workers(1)) {
      Tiles tiles = Tiles.cut(ImageDecoder.decode(picture), 336, 16, new Resampler(workers));
      assertThat(tiles.tilesX()).isEqualTo(16);
    }
  }

  @Test
  void whatIsNoImageIsRefused() {
    assertRefused("Hello, I am text.".getBytes(StandardCharsets.UTF_8), "expected an image file");
    assertRefused(new byte[0], "expected an image file");
    byte[] avif = "0123ftypavif....".getBytes(StandardCharsets.ISO_8859_1);
    assertRefused(avif, "HEIF or AVIF (avif)");
    assertRefused(new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10}, "damaged or cut off");
  }

  @ParameterizedTest
  @ValueSource(strings = {"png", "bmp", "gif", "jpeg"})
  void cutOffFilesAreRefused(String format) throws IOException {
    byte[] whole = written(noise(), format);
    for (int length : new int[] {whole.length / 2, whole.length / 4 * 3, 40}) {
      assertRefused(Arrays.copyOf(whole, length), "the picture:");
    }
  }

  @Test
  void damagedFilesNeverBreakOut() throws IOException {
    for (String format : new String[] {"png", "bmp", "gif", "jpeg"}) {
      byte[] whole = written(noise(), format);
      java.util.Random random = new java.util.Random(5);
      for (int i = 0; i < 200; i++) {
        byte[] damaged = whole.clone();
        for (int j = 0; j < 3; j++) {
          damaged[random.nextInt(Math.min(600, damaged.length))] = (byte) random.nextInt();
        }
        try {
          ImageDecoder.decode(Picture.of(damaged));
        } catch (LlamaException e) {
          assertThat(e).hasMessageContaining("the picture");
        }
      }
    }
  }

  @Test
  void sizesOfNothingAndOfTooMuchAreRefused() throws IOException {
    byte[] png = written(quarters(), "png");
    assertRefused(withPngSize(png, 0, 0), "the picture:");
    assertRefused(withPngSize(png, 100_000, 100_000), "100000 x 100000");
  }

  private static void assertRefused(byte[] bytes, String message) {
    assertThatThrownBy(() -> ImageDecoder.decode(Picture.of(bytes)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(message);
  }

  private static void assertNear(RgbImage image, int x, int y, Color colour, int tolerance) {
    int[] expected = {colour.getRed(), colour.getGreen(), colour.getBlue()};
    for (int channel = 0; channel < 3; channel++) {
      assertThat(image.sample(x, y, channel))
          .as("%d, %d, channel %d", x, y, channel)
          .isBetween(expected[channel] - tolerance, expected[channel] + tolerance);
    }
  }

  private static BufferedImage quarters() {
    BufferedImage image = new BufferedImage(40, 24, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    Color[] colours = {Color.RED, Color.GREEN, Color.BLUE, Color.WHITE};
    for (int i = 0; i < 4; i++) {
      g.setColor(colours[i]);
      g.fillRect(i % 2 * 20, i / 2 * 12, 20, 12);
    }
    g.dispose();
    return image;
  }

  private static BufferedImage noise() {
    BufferedImage image = new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB);
    java.util.Random random = new java.util.Random(1);
    for (int i = 0; i < 64 * 48; i++) {
      image.setRGB(i % 64, i / 64, random.nextInt());
    }
    return image;
  }

  private static byte[] written(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, bytes)).isTrue();
    return bytes.toByteArray();
  }

  /** Puts an EXIF segment with an orientation after the first marker. */
  private static byte[] withExif(byte[] jpeg, int tag) {
    byte[] exif = {
      (byte) 0xFF,
      (byte) 0xE1,
      0,
      34,
      'E',
      'x',
      'i',
      'f',
      0,
      0, // 34 bytes with the length
      'M',
      'M',
      0,
      42,
      0,
      0,
      0,
      8,
      0,
      1, // one entry:
      0x01,
      0x12,
      0,
      3,
      0,
      0,
      0,
      1,
      0,
      (byte) tag,
      0,
      0,
      0,
      0,
      0,
      0
    };
    byte[] all = new byte[jpeg.length + exif.length];
    System.arraycopy(jpeg, 0, all, 0, 2);
    System.arraycopy(exif, 0, all, 2, exif.length);
    System.arraycopy(jpeg, 2, all, 2 + exif.length, jpeg.length - 2);
    return all;
  }

  private static Picture resource(String name) throws IOException {
    try (InputStream in = ImageDecoderTest.class.getResourceAsStream(name)) {
      return Picture.of(in.readAllBytes());
    }
  }

  private static byte[] withPngSize(byte[] png, int width, int height) {
    byte[] changed = png.clone();
    java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(changed);
    buffer.putInt(16, width);
    buffer.putInt(20, height);
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(changed, 12, 17);
    buffer.putInt(29, (int) crc.getValue());
    return changed;
  }
}
