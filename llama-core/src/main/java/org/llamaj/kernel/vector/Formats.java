package org.llamaj.kernel.vector;

import org.llamaj.tensor.ElementType;

/** Which arithmetic an element type has. */
final class Formats {
  private Formats() {}

  static Format of(ElementType type) {
    return switch (type) {
      case F32 -> PlainFormat.F32;
      case F16 -> PlainFormat.F16;
      case BF16 -> PlainFormat.BF16;
      case Q8_0 -> ByteFormat.INSTANCE;
      case Q4_0 -> SignedNibbleFormat.INSTANCE;
      case Q4_1 -> NibbleFormat.Q4_1;
      case Q5_0 -> NibbleFormat.Q5_0;
      case Q5_1 -> NibbleFormat.Q5_1;
      case Q4_K -> SuperBlockFormat.Q4_K;
      case Q5_K -> SuperBlockFormat.Q5_K;
      case Q6_K -> SixBitFormat.INSTANCE;
      case Q2_K -> TwoBitFormat.Q2_K;
      case Q3_K -> TwoBitFormat.Q3_K;
      case IQ4_NL -> NonLinearFormat.IQ4_NL;
      case IQ4_XS -> NonLinearFormat.IQ4_XS;
      default -> new ReferenceFormat(type);
    };
  }
}
