package org.llamaj.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.llamaj.LlamaException;

/** The sizes of a tensor's dimensions, outermost first: a matrix is {@code [rows, columns]}. */
public final class Shape {
  private final long[] sizes;
  private final long elements;

  private Shape(long[] sizes) {
    this.sizes = sizes;
    long product = 1;
    for (long size : sizes) {
      if (size <= 0) {
        throw new LlamaException("expected dimensions of at least 1, found " + this);
      }
      if (product > Long.MAX_VALUE / size) {
        throw new LlamaException("expected fewer than 2^63 values, found a shape of " + this);
      }
      product *= size;
    }
    this.elements = product;
  }

  /**
   * A shape.
   *
   * @param sizes outermost dimension first, at least one, each at least 1
   * @return the shape
   * @throws LlamaException if there is no dimension, one is not positive, or their product is over
   *     2^63
   */
  public static Shape of(long... sizes) {
    if (sizes.length == 0) throw new LlamaException("expected at least one dimension, found none");
    return new Shape(sizes.clone());
  }

  /** {@return the number of dimensions} */
  public int rank() {
    return sizes.length;
  }

  /**
   * The size of a dimension.
   *
   * @param dimension 0 is the outermost
   * @return its size
   */
  public long size(int dimension) {
    return sizes[dimension];
  }

  /** {@return the size of the innermost dimension, the one whose values lie side by side} */
  public long columns() {
    return sizes[sizes.length - 1];
  }

  /** {@return the product of all sizes but the innermost; 1 for a vector} */
  public long rows() {
    return elements / columns();
  }

  /** {@return the product of all sizes} */
  public long elements() {
    return elements;
  }

  /**
   * The shape of one element of the outermost dimension: {@code [columns]} for a matrix.
   *
   * @return the shape without its outermost dimension
   * @throws LlamaException if this is a vector
   */
  public Shape inner() {
    if (sizes.length == 1)
      throw new LlamaException("expected two dimensions or more, found " + this);
    return new Shape(Arrays.copyOfRange(sizes, 1, sizes.length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /** {@return for example {@code [4096, 1024]}} */
  @Override
  public String toString() {
    return Arrays.stream(sizes)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
