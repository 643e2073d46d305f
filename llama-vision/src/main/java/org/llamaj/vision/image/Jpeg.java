package org.llamaj.vision.image;

import java.awt.image.Raster;
import java.util.Arrays;

/** What the reader of this Java leaves to do in JPEG files: pictures in four inks, EXIF data. */
final class Jpeg {
  private static final int START_OF_IMAGE = 0xD8;
  private static final int START_OF_SCAN = 0xDA;
  private static final int APP_1 = 0xE1;
  private static final int APP_14 = 0xEE;

  private Jpeg() {}

  /** A part of a file that begins with a marker. */
  record Segment(int start, int end) {}

  /** The first segment with a marker, without marker and length; null if there is none. */
  private static Segment segment(byte[] file, int from, java.util.function.IntPredicate wanted) {
    if (file.length < 2 || (file[0] & 0xFF) != 0xFF || (file[1] & 0xFF) != START_OF_IMAGE) {
      return null;
    }
    int at = from;
    while (at + 4 <= file.length && (file[at] & 0xFF) == 0xFF) {
      int marker = file[at + 1] & 0xFF;
      if (marker == 0xFF) {
        at++;
        continue;
      }
      int end = at + 2 + ((file[at + 2] & 0xFF) << 8 | file[at + 3] & 0xFF);
      if (end < at + 4 || end > file.length) {
        return null;
      }
      if (wanted.test(marker)) {
        return new Segment(at + 4, end);
      }
      if (marker == START_OF_SCAN) {
        return null;
      }
      at = end;
    }
    return null;
  }

  /** How many components each pixel has; 0 if that is not known. */
  static int components(byte[] file) {
    // Start of frame: C0 to CF but for tables (C4, CC) and an extension (C8).
    Segment frame =
        segment(file, 2, m -> m >= 0xC0 && m <= 0xCF && m != 0xC4 && m != 0xC8 && m != 0xCC);
    return frame == null || frame.end() - frame.start() < 6 ? 0 : file[frame.start() + 5] & 0xFF;
  }

  /** The EXIF data: a TIFF file within the file; empty if there is none. */
  static byte[] exif(byte[] file) {
    int from = 2;
    Segment segment;
    while ((segment = segment(file, from, m -> m == APP_1)) != null) {
      int start = segment.start();
      boolean isExif =
          segment.end() - start > 6
              && new String(file, start, 6, java.nio.charset.StandardCharsets.ISO_8859_1)
                  .equals("Exif\0\0");
      if (isExif) {
        return Arrays.copyOfRange(file, start + 6, segment.end());
      }
      from = segment.end();
    }
    return new byte[0];
  }

  /** Whether the four components are luma, two chromas and black, not cyan, magenta, yellow. */
  private static boolean hasLuma(byte[] file) {
    Segment adobe = segment(file, 2, m -> m == APP_14);
    return adobe != null
        && adobe.end() - adobe.start() >= 12
        && file[adobe.start()] == 'A'
        && file[adobe.start() + 11] == 2;
  }

  private static boolean isInverted(byte[] file) {
    Segment adobe = segment(file, 2, m -> m == APP_14);
    return adobe != null && file[adobe.start()] == 'A';
  }

  /** Cyan, magenta, yellow and black as red, green and blue. */
  static RgbImage fromInk(Raster raster, byte[] file) {
    boolean luma = hasLuma(file);
    boolean inverted = isInverted(file);
    int width = raster.getWidth();
    RgbImage result = RgbImage.black(width, raster.getHeight());
    int[] row = new int[4 * width];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int x = 0; x < width; x++) {
        int c = row[4 * x];
        int m = row[4 * x + 1];
        int ye = row[4 * x + 2];
        int k = row[4 * x + 3];
        if (luma) {
          double red = c + 1.402 * (ye - 128);
          double green = c - 0.344136 * (m - 128) - 0.714136 * (ye - 128);
          double blue = c + 1.772 * (m - 128);
          // As libjpeg: what luma and chroma stand for is the ink's complement.
          c = 255 - eightBits(red);
          m = 255 - eightBits(green);
          ye = 255 - eightBits(blue);
        }
        int[] light = inverted ? new int[] {c, m, ye} : new int[] {255 - c, 255 - m, 255 - ye};
        int white = inverted ? k : 255 - k;
        for (int channel = 0; channel < 3; channel++) {
          result.rgb()[3 * (y * width + x) + channel] =
              (byte) ((light[channel] * white + 127) / 255);
        }
      }
    }
    return result;
  }

  private static int eightBits(double value) {
    return Math.clamp(Math.round(value), 0, 255);
  }
}
