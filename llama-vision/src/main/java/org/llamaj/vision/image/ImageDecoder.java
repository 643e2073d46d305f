package org.llamaj.vision.image;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.llamaj.LlamaException;
import org.llamaj.Picture;

/**
 * Decodes image files with the readers of this Java: PNG, JPEG, BMP, GIF (its first frame), TIFF
 * and whatever plug-ins are on the path. JPEGs are turned as their EXIF data says. Sizes are
 * checked before anything is decoded.
 */
public final class ImageDecoder {

  /** The most pixels of a picture. */
  static final long MAX_PIXELS = 64L << 20;

  private ImageDecoder() {}

  /**
   * The size of a picture, upright.
   *
   * @param width in pixels
   * @param height in pixels
   */
  public record Size(int width, int height) {}

  /**
   * Reads a picture's header.
   *
   * @param picture an image file
   * @return its size
   * @throws LlamaException if it is no image, damaged or too large
   */
  public static Size size(Picture picture) {
    byte[] bytes = picture.bytes();
    Size stored = read(picture, bytes, ImageDecoder::storedSize);
    return Orientation.of(bytes).swapsSides() ? new Size(stored.height, stored.width) : stored;
  }

  /**
   * Decodes a picture.
   *
   * @param picture an image file
   * @return the picture, upright, transparency on white
   * @throws LlamaException if it is no image, damaged or too large
   */
  public static RgbImage decode(Picture picture) {
    byte[] bytes = picture.bytes();
    RgbImage image =
        read(
            picture,
            bytes,
            (reader, source) -> {
              storedSize(reader, source);
              return pixels(reader, source, bytes);
            });
    return Orientation.of(bytes).upright(image);
  }

  private interface Reading<T> {
    T with(ImageReader reader, Picture source) throws IOException;
  }

  private static <T> T read(Picture picture, byte[] bytes, Reading<T> reading) {
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new LlamaException(
            "%s: expected an image file, PNG, JPEG, BMP or GIF, found %s"
                .formatted(picture.source(), unreadable(bytes)));
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        return reading.with(reader, picture);
      } finally {
        reader.dispose();
      }
    } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
      // What readers throw on damaged files; the last two are not always meant to be.
      throw damaged(picture, e.getMessage(), e);
    }
  }

  /** What a file is that no reader knows, and what helps. */
  private static String unreadable(byte[] file) {
    String head = new String(file, 0, Math.min(16, file.length), StandardCharsets.ISO_8859_1);
    if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) {
      return "WebP, which Java reads with com.twelvemonkeys.imageio:imageio-webp on the class path";
    }
    if (head.startsWith("ftyp", 4)) {
      return "HEIF or AVIF (%s), which has to be converted to one of these"
          .formatted(head.substring(8, Math.min(12, head.length())).strip());
    }
    return "none of these";
  }

  private static Size storedSize(ImageReader reader, Picture source) throws IOException {
    int width = reader.getWidth(0);
    int height = reader.getHeight(0);
    if (width < 1 || height < 1 || (long) width * height > MAX_PIXELS) {
      throw new LlamaException(
          "%s: expected a picture of 1 to %d pixels, found %d x %d"
              .formatted(source.source(), MAX_PIXELS, width, height));
    }
    return new Size(width, height);
  }

  private static RgbImage pixels(ImageReader reader, Picture source, byte[] bytes)
      throws IOException {
    List<String> warnings = new ArrayList<>();
    reader.addIIOReadWarningListener((_, warning) -> warnings.add(warning));
    boolean jpeg = reader.getFormatName().equalsIgnoreCase("jpeg");
    RgbImage image;
    if (jpeg && Jpeg.components(bytes) == 4) {
      image = Jpeg.fromInk(reader.readRaster(0, null), bytes);
    } else {
      image = Samples.rgb(reader.read(0));
    }
    for (String warning : warnings) {
      // The decoder of JPEG fills up what is missing with grey.
      if (jpeg && warning.matches("(?s).*(EOI|remature|orrupt|runcated).*")) {
        throw damaged(source, warning, new IIOException(warning));
      }
    }
    return image;
  }

  private static LlamaException damaged(Picture picture, String reason, Exception cause) {
    return new LlamaException(
        "%s: the image is damaged or cut off: %s".formatted(picture.source(), reason), cause);
  }

  /** Pixels of any model of colour as RGB. */
  private static final class Samples {
    private Samples() {}

    static RgbImage rgb(BufferedImage image) {
      int width = image.getWidth();
      RgbImage result = RgbImage.black(width, image.getHeight());
      byte[] to = result.rgb();
      if (image.getColorModel() instanceof java.awt.image.IndexColorModel palette) {
        int[] row = new int[width];
        for (int y = 0; y < image.getHeight(); y++) {
          image.getRaster().getSamples(0, y, width, 1, 0, row);
          for (int x = 0; x < width; x++) {
            int at = 3 * (y * width + x);
            to[at] = (byte) palette.getRed(row[x]);
            to[at + 1] = (byte) palette.getGreen(row[x]);
            to[at + 2] = (byte) palette.getBlue(row[x]);
          }
        }
        return result;
      }
      Raster raster = image.getRaster();
      int bands = raster.getNumBands();
      int[] bits = image.getColorModel().getComponentSize();
      int[] row = new int[bands * width];
      for (int y = 0; y < image.getHeight(); y++) {
        raster.getPixels(0, y, width, 1, row);
        for (int x = 0; x < width; x++) {
          for (int channel = 0; channel < 3; channel++) {
            int band = bands < 3 ? 0 : channel;
            int value = eightBits(row[bands * x + band], bits[band]);
            if (bands == 4) {
              value = onWhite(value, eightBits(row[bands * x + 3], bits[3]));
            }
            to[3 * (y * width + x) + channel] = (byte) value;
          }
        }
      }
      return result;
    }

    private static int eightBits(int value, int bits) {
      return bits == 8 ? value : bits > 8 ? value >> bits - 8 : value * 255 / ((1 << bits) - 1);
    }

    /** Composed over white as Pillow does it. */
    private static int onWhite(int value, int alpha) {
      int sum = 255 * (255 - alpha) + value * alpha + 128;
      return (sum >> 8) + sum >> 8;
    }
  }
}
