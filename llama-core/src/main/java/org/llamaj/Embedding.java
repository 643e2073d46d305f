package org.llamaj;

/**
 * A text as a vector.
 *
 * @param values as many as the model's width; not to be changed
 */
public record Embedding(float[] values) {

  /**
   * How alike two texts are: the cosine of the angle between their vectors.
   *
   * @param other of the same model
   * @return from -1 to 1; 0 if one of them is zero
   */
  public double cosine(Embedding other) {
    double product = dot(other);
    double length = Math.sqrt(dot(this) * other.dot(other));
    return length == 0 ? 0 : product / length;
  }

  /**
   * The same direction with length 1.
   *
   * @return a new vector; this one if it is zero
   */
  public Embedding normalised() {
    double length = Math.sqrt(dot(this));
    if (length == 0) {
      return this;
    }
    float[] scaled = values.clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] = (float) (scaled[i] / length);
    }
    return new Embedding(scaled);
  }

  private double dot(Embedding other) {
    if (values.length != other.values.length) {
      throw new IllegalArgumentException(
          "expected vectors of the same model, found %d and %d values"
              .formatted(values.length, other.values.length));
    }
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      sum += (double) values[i] * other.values[i];
    }
    return sum;
  }
}
