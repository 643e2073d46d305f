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
      case IQ2_XXS -> CodebookFormat.IQ2_XXS;
      case IQ2_XS -> CodebookFormat.IQ2_XS;
      case IQ2_S -> CodebookFormat.IQ2_S;
      case IQ3_XXS -> CodebookFormat.IQ3_XXS;
      case IQ3_S -> CodebookFormat.IQ3_S;
      case IQ1_S -> CodebookFormat.IQ1_S;
      case IQ1_M -> CodebookFormat.IQ1_M;
      case TQ1_0 -> TernaryFormat.TQ1_0;
      case TQ2_0 -> TernaryFormat.TQ2_0;
      case MXFP4 -> MicroscalingFormat.MXFP4;
      case NVFP4 -> MicroscalingFormat.NVFP4;
      default -> new ReferenceFormat(type);
    };
  }
}
