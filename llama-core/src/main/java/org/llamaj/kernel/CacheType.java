package org.llamaj.kernel;

/** How keys and values are stored in the cache. */
public enum CacheType {
  /** 32-bit floating point: exact. */
  F32(4),
  /** IEEE half precision: half the memory, and the default. */
  F16(2);

  private final int bytes;

  CacheType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * The size of one value.
   *
   * @return bytes
   */
  public int bytes() {
    return bytes;
  }
}
