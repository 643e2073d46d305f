package org.llamaj.checkpoint.gguf;

import org.llamaj.tensor.ElementType;

/**
 * The usual mixtures of element types, as {@code general.file_type} numbers them. {@link WeightMix}
 * says which tensor gets which type.
 */
public enum FileType {
  /** All in single precision. */
  F32(0, ElementType.F32),
  /** Matrices in half precision. */
  F16(1, ElementType.F16),
  /** Q4_0. */
  Q4_0(2, ElementType.Q4_0),
  /** Q4_1. */
  Q4_1(3, ElementType.Q4_1),
  /** Q8_0. */
  Q8_0(7, ElementType.Q8_0),
  /** Q5_0. */
  Q5_0(8, ElementType.Q5_0),
  /** Q5_1. */
  Q5_1(9, ElementType.Q5_1),
  /** Q2_K with more bits for values, attention output and down projections. */
  Q2_K(10, ElementType.Q2_K),
  /** Q3_K. */
  Q3_K_S(11, ElementType.Q3_K),
  /** Q3_K with more bits for values, attention output and down projections. */
  Q3_K_M(12, ElementType.Q3_K),
  /** Q3_K with Q5_K for values, attention output and down projections. */
  Q3_K_L(13, ElementType.Q3_K),
  /** Q4_K with more bits for the first layers. */
  Q4_K_S(14, ElementType.Q4_K),
  /** Q4_K with Q6_K for half of the values and down projections. */
  Q4_K_M(15, ElementType.Q4_K),
  /** Q5_K. */
  Q5_K_S(16, ElementType.Q5_K),
  /** Q5_K with Q6_K for half of the values and down projections. */
  Q5_K_M(17, ElementType.Q5_K),
  /** Q6_K. */
  Q6_K(18, ElementType.Q6_K),
  /** Q2_K with more bits for values and the first down projections. */
  Q2_K_S(21, ElementType.Q2_K),
  /** IQ4_NL. */
  IQ4_NL(25, ElementType.IQ4_NL),
  /** IQ4_XS. */
  IQ4_XS(30, ElementType.IQ4_XS),
  /** Matrices in the upper half of single precision. */
  BF16(32, ElementType.BF16);

  private final int id;
  private final ElementType main;

  FileType(int id, ElementType main) {
    this.id = id;
    this.main = main;
  }

  /** {@return the value of {@code general.file_type}} */
  public int id() {
    return id;
  }

  /** {@return the type of most matrices} */
  public ElementType main() {
    return main;
  }
}
