package org.llamaj.kernel.x86.gemv;

/**
 * Where things lie in a row of activations quantised for {@link GemvCode}: records of 256 values (8
 * blocks of 32), the last possibly not full, so that one pointer passes over all.
 */
public final class QuantizedRow {
  /** Values of a record. */
  public static final int RECORD_VALUES = 256;

  /** The values divided by their block's scale, rounded: 256 signed bytes. */
  static final int VALUES = 0;

  /** For each 4 values -128 times their sum: 64 ints, which turn bytes from 128 into signed. */
  static final int OFFSETS = 256;

  /** The scale of each block of 32: 8 floats. */
  static final int SCALES = 512;

  /** Scale times sum of each 32 values: 8 floats. */
  static final int SUMS_32 = 544;

  /** Scale times sum of each 16 values: 16 floats. */
  static final int SUMS_16 = 576;

  /** Bytes of a record. */
  public static final int RECORD_BYTES = 640;

  private QuantizedRow() {}
}
