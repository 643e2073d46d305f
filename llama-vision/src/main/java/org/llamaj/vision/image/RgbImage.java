package org.llamaj.vision.image;

/**
 * A decoded picture.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb [height][width][red, green, blue], 8 bits each
 */
public record RgbImage(int width, int height, byte[] rgb) {

  /** Checks that there are as many bytes as the size says. */
  public RgbImage {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "expected 3 bytes for each of %d x %d pixels, found %d"
              .formatted(width, height, rgb.length));
    }
  }

  /** A black picture. */
  static RgbImage black(int width, int height) {
    return new RgbImage(width, height, new byte[Math.multiplyExact(3 * width, height)]);
  }

  /**
   * One sample.
   *
   * @param x column
   * @param y row
   * @param channel 0 red, 1 green, 2 blue
   * @return 0 to 255
   */
  public int sample(int x, int y, int channel) {
    return rgb[3 * (y * width + x) + channel] & 0xFF;
  }

  /** This picture at the top left of a larger black one. */
  RgbImage onCanvas(int canvasWidth, int canvasHeight) {
    RgbImage canvas = black(canvasWidth, canvasHeight);
    for (int y = 0; y < height; y++) {
      System.arraycopy(rgb, 3 * y * width, canvas.rgb, 3 * y * canvasWidth, 3 * width);
    }
    return canvas;
  }

  /** A part of this picture. */
  RgbImage part(int left, int top, int partWidth, int partHeight) {
    RgbImage part = black(partWidth, partHeight);
    for (int y = 0; y < partHeight; y++) {
      int from = 3 * ((top + y) * width + left);
      System.arraycopy(rgb, from, part.rgb, 3 * y * partWidth, 3 * partWidth);
    }
    return part;
  }
}
