package org.llamaj.kernel.x86.gemv;

import org.llamaj.kernel.x86.code.Transpose;

/**
 * Where things lie in activations quantised for {@link WideGemvCode}: records of 256 values (8
 * blocks of 32), the last possibly not full. The records of a few rows alternate, so that one
 * pointer passes over all.
 *
 * <p>A 512-bit register has 16 lanes, and a record 16 halves of blocks: each lane belongs to one of
 * them. The first of four registers holds the first 4 values of each half block, the second the
 * next 4 and so on. So the four integer products of a record add up in one register, whose lanes
 * each have a scale of their own, be there one for 32 weights or one for 16.
 */
public final class LaneRecord {
  static final int RECORD_VALUES = QuantizedRow.RECORD_VALUES;

  /** The values divided by their block's scale, rounded: four registers of signed bytes. */
  static final int VALUES = 0;

  /** -128 times the sum of the lane's values: ints, which turn bytes from 128 into signed. */
  static final int OFFSETS = 256;

  /** The scale of the lane's block: floats. */
  static final int SCALES = 320;

  /** Scale times sum of each 16 values, in the order of the row: 16 floats. */
  static final int SUMS_16 = 384;

  /** 8 zeros, then scale times sum of each 32 values: 8 floats. */
  static final int SUMS_32 = 448;

  /** Bytes of a record. */
  public static final int RECORD_BYTES = 512;

  private LaneRecord() {}

  /**
   * Which half block a lane belongs to: twice the block, plus 1 for the second half. The order is
   * that in which {@link Transpose#quarters} leaves them.
   */
  static int half(int lane) {
    return 2 * (lane / 8 + 2 * (lane % 4)) + lane / 4 % 2;
  }
}
