package org.llamaj.kernel.x86.machine;

/** Instructions that a processor has or has not, under the names of Intel's manual. */
public enum Feature {
  /** AVX2, and with it FMA and F16C. */
  AVX2,
  /** Dot products of 8-bit integers on AVX2's registers. */
  AVX_VNNI,
  /** AVX-512 F, BW, DQ and VL. */
  AVX512,
  /** Dot products of 8-bit integers on AVX-512's registers. */
  AVX512_VNNI,
  /** Conversion to bfloat16, and dot products of pairs of them. */
  AVX512_BF16,
  /** AMX-TILE and AMX-BF16: products of tiles of 16 x 32 bfloat16 values. */
  AMX_BF16
}
