package org.llamaj.vision.image;

import org.llamaj.kernel.Workers;

/**
 * Bilinear resizing with antialiasing, to the bit as Pillow does it on 8-bit pictures, which all
 * reference implementations use: horizontally, then vertically, each pass rounded to 8 bits; a
 * triangle filter as wide as the pixels that become one; weights of 22 bits after the point.
 */
public final class Resampler {
  private static final int PRECISION = 22;

  /** Rows that a worker takes at a time. */
  private static final int CHUNK = 16;

  private final Workers workers;

  /**
   * @param workers the threads to compute on
   */
  public Resampler(Workers workers) {
    this.workers = workers;
  }

  /**
   * Resizes a picture.
   *
   * @param image any size
   * @param width of the result, at least 1
   * @param height of the result, at least 1
   * @return the resized picture; the same one if it has that size
   */
  public RgbImage resize(RgbImage image, int width, int height) {
    return vertically(horizontally(image, width), height);
  }

  /**
   * Which pixels become one, and their weights.
   *
   * @param first by result pixel: the first source pixel
   * @param weights by result pixel: of the source pixels from the first on
   */
  private record Taps(int[] first, int[][] weights) {

    static Taps of(int size, int newSize) {
      double scale = (double) size / newSize;
      double radius = Math.max(scale, 1);
      int[] first = new int[newSize];
      int[][] weights = new int[newSize][];
      for (int i = 0; i < newSize; i++) {
        double centre = (i + 0.5) * scale;
        int from = Math.max(0, (int) (centre - radius + 0.5));
        int to = Math.min(size, (int) (centre + radius + 0.5));
        double[] exact = new double[to - from];
        double sum = 0;
        for (int j = from; j < to; j++) {
          exact[j - from] = Math.max(0, 1 - Math.abs((j - centre + 0.5) / radius));
          sum += exact[j - from];
        }
        first[i] = from;
        weights[i] = new int[exact.length];
        for (int j = 0; j < exact.length; j++) {
          weights[i][j] = (int) (0.5 + exact[j] / sum * (1 << PRECISION));
        }
      }
      return new Taps(first, weights);
    }
  }

  private RgbImage horizontally(RgbImage image, int width) {
    if (width == image.width()) {
      return image;
    }
    Taps taps = Taps.of(image.width(), width);
    RgbImage result = RgbImage.black(width, image.height());
    byte[] from = image.rgb();
    byte[] to = result.rgb();
    forRows(
        image.height(),
        y -> {
          for (int x = 0; x < width; x++) {
            int source = 3 * (y * image.width() + taps.first[x]);
            combine(from, source, 3, taps.weights[x], to, 3 * (y * width + x));
          }
        });
    return result;
  }

  private RgbImage vertically(RgbImage image, int height) {
    if (height == image.height()) {
      return image;
    }
    Taps taps = Taps.of(image.height(), height);
    int width = image.width();
    RgbImage result = RgbImage.black(width, height);
    byte[] from = image.rgb();
    byte[] to = result.rgb();
    forRows(
        height,
        y -> {
          for (int x = 0; x < width; x++) {
            int source = 3 * (taps.first[y] * width + x);
            combine(from, source, 3 * width, taps.weights[y], to, 3 * (y * width + x));
          }
        });
    return result;
  }

  private interface Row {
    void make(int y);
  }

  private void forRows(int rows, Row row) {
    workers.run(
        Math.ceilDiv(rows, CHUNK),
        (chunk, _) -> {
          int end = Math.min(rows, (chunk + 1) * CHUNK);
          for (int y = chunk * CHUNK; y < end; y++) {
            row.make(y);
          }
        });
  }

  /** The weighted sum of pixels that are {@code step} bytes apart. */
  private static void combine(
      byte[] from, int source, int step, int[] weights, byte[] to, int target) {
    int half = 1 << PRECISION - 1;
    int red = half;
    int green = half;
    int blue = half;
    for (int weight : weights) {
      red += (from[source] & 0xFF) * weight;
      green += (from[source + 1] & 0xFF) * weight;
      blue += (from[source + 2] & 0xFF) * weight;
      source += step;
    }
    to[target] = rounded(red);
    to[target + 1] = rounded(green);
    to[target + 2] = rounded(blue);
  }

  private static byte rounded(int sum) {
    return (byte) Math.clamp(sum >> PRECISION, 0, 255);
  }
}
