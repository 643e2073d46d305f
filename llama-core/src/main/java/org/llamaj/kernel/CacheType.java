package org.llamaj.kernel;

/** How keys and values are stored in the cache. */
public enum CacheType {
  /** 32-bit floating point: exact. */
  F32(1, 4),
  /** IEEE half precision: half the memory, and the default. */
  F16(1, 2),
  /** 8-bit integers in blocks of 32 with a half-precision scale: a quarter of F32. */
  Q8_0(32, 34),
  /** 4-bit integers in blocks of 32 with a half-precision scale: an eighth of F32. */
  Q4_0(32, 18);

  private final int blockSize;
  private final int blockBytes;

  CacheType(int blockSize, int blockBytes) {
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /**
   * Whether several values share a scale, as {@link QuantizedPage} describes.
   *
   * @return false for floating point
   */
  public boolean isQuantized() {
    return blockSize > 1;
  }

  /**
   * How many values share a scale.
   *
   * @return 1 for floating point
   */
  public int blockSize() {
    return blockSize;
  }

  /**
   * The size of a block.
   *
   * @return bytes of its values and its scale
   */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * The size of one value of a floating-point type.
   *
   * @return bytes
   * @throws IllegalStateException if the type is quantised
   */
  public int bytes() {
    if (isQuantized()) {
      throw new IllegalStateException("values of " + this + " have no size of their own");
    }
    return blockBytes;
  }
}
