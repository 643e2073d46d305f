package org.llamaj.vision.image;

/** Turns samples of 8 bits into the numbers that an encoder was trained on. */
public final class Normalization {
  private final float[][] values = new float[3][256];

  /**
   * A normalisation (v / 255 - mean) / deviation.
   *
   * @param mean of red, green and blue
   * @param deviation of red, green and blue
   */
  public Normalization(float[] mean, float[] deviation) {
    for (int channel = 0; channel < 3; channel++) {
      for (int v = 0; v < 256; v++) {
        values[channel][v] = (v / 255f - mean[channel]) / deviation[channel];
      }
    }
  }

  /**
   * A normalised sample.
   *
   * @param channel 0 red, 1 green, 2 blue
   * @param sample 0 to 255
   * @return the number
   */
  public float of(int channel, int sample) {
    return values[channel][sample];
  }
}
