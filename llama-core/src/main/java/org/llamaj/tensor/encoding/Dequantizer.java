package org.llamaj.tensor.encoding;

import java.lang.foreign.MemorySegment;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Tensor;

/**
 * Turns stored values of any type into floats, one by one and without tricks. Results are
 * bit-identical to ggml's reference.
 */
public final class Dequantizer {
  private Dequantizer() {}

  /**
   * One row of a tensor.
   *
   * @param tensor of any type
   * @param row from 0 to {@code tensor.rows()}, exclusive
   * @param out receives {@code tensor.columns()} values
   * @param outOffset where in {@code out} they start
   */
  public static void dequantizeRow(Tensor tensor, long row, float[] out, int outOffset) {
    dequantize(
        tensor.type(),
        tensor.data(),
        row * tensor.rowBytes(),
        out,
        outOffset,
        Math.toIntExact(tensor.columns()));
  }

  /**
   * Whole blocks.
   *
   * @param type how values are stored
   * @param source where
   * @param byteOffset the first block's place in {@code source}, of any alignment
   * @param out receives the values
   * @param outOffset where in {@code out} they start
   * @param count values, a multiple of the type's block size
   * @throws LlamaException if {@code count} is not a whole number of blocks
   * @throws IndexOutOfBoundsException if {@code source} or {@code out} is too short
   */
  public static void dequantize(
      ElementType type,
      MemorySegment source,
      long byteOffset,
      float[] out,
      int outOffset,
      int count) {
    if (count % type.blockSize() != 0) {
      throw new LlamaException(
          "%s: expected a multiple of %d values, found %d"
              .formatted(type, type.blockSize(), count));
    }
    switch (type) {
      case F32 -> Plain.decodeF32(source, byteOffset, out, outOffset, count);
      case F16 -> Plain.decodeF16(source, byteOffset, out, outOffset, count);
      case BF16 -> Plain.decodeBf16(source, byteOffset, out, outOffset, count);
      case F64 -> Plain.decodeF64(source, byteOffset, out, outOffset, count);
      case I8 -> Plain.decodeI8(source, byteOffset, out, outOffset, count);
      case I16 -> Plain.decodeI16(source, byteOffset, out, outOffset, count);
      case I32 -> Plain.decodeI32(source, byteOffset, out, outOffset, count);
      case I64 -> Plain.decodeI64(source, byteOffset, out, outOffset, count);
      case F8_E4M3 -> EightBitFloats.decodeE4M3(source, byteOffset, out, outOffset, count);
      case F8_E5M2 -> EightBitFloats.decodeE5M2(source, byteOffset, out, outOffset, count);
      case BOOL -> Plain.decodeBool(source, byteOffset, out, outOffset, count);
      case U8 -> Plain.decodeU8(source, byteOffset, out, outOffset, count);
      case U16 -> Plain.decodeU16(source, byteOffset, out, outOffset, count);
      case U32 -> Plain.decodeU32(source, byteOffset, out, outOffset, count);
      case U64 -> Plain.decodeU64(source, byteOffset, out, outOffset, count);
      default -> {
        BlockDecoder decoder = blockDecoder(type);
        int blocks = count / type.blockSize();
        for (int block = 0; block < blocks; block++) {
          decoder.decode(
              source,
              byteOffset + (long) block * type.blockBytes(),
              out,
              outOffset + block * type.blockSize());
        }
      }
    }
  }

  /** Decodes the block at {@code offset} of {@code source} into {@code out} from {@code at} on. */
  @FunctionalInterface
  private interface BlockDecoder {
    void decode(MemorySegment source, long offset, float[] out, int at);
  }

  private static BlockDecoder blockDecoder(ElementType type) {
    return switch (type) {
      case Q4_0 -> Simple::decodeQ4_0;
      case Q4_1 -> Simple::decodeQ4_1;
      case Q5_0 -> Simple::decodeQ5_0;
      case Q5_1 -> Simple::decodeQ5_1;
      case Q8_0 -> Simple::decodeQ8_0;
      case Q8_1 -> Simple::decodeQ8_1;
      case Q1_0 -> Simple::decodeQ1_0;
      case Q2_0 -> Simple::decodeQ2_0;
      case Q2_K -> KQuants::decodeQ2_K;
      case Q3_K -> KQuants::decodeQ3_K;
      case Q4_K -> KQuants::decodeQ4_K;
      case Q5_K -> KQuants::decodeQ5_K;
      case Q6_K -> KQuants::decodeQ6_K;
      case Q8_K -> KQuants::decodeQ8_K;
      case IQ4_NL -> NonLinear::decodeIQ4_NL;
      case IQ4_XS -> NonLinear::decodeIQ4_XS;
      case IQ2_XXS -> CodebookQuants::decodeIQ2_XXS;
      case IQ2_XS -> CodebookQuants::decodeIQ2_XS;
      case IQ2_S -> CodebookQuants::decodeIQ2_S;
      case IQ3_XXS -> CodebookQuants::decodeIQ3_XXS;
      case IQ3_S -> CodebookQuants::decodeIQ3_S;
      case IQ1_S -> TernaryQuants::decodeIQ1_S;
      case IQ1_M -> TernaryQuants::decodeIQ1_M;
      case TQ1_0 -> TernaryQuants::decodeTQ1_0;
      case TQ2_0 -> TernaryQuants::decodeTQ2_0;
      case MXFP4 -> Microscaling::decodeMXFP4;
      case NVFP4 -> Microscaling::decodeNVFP4;
      case F32, F16, BF16, F64, F8_E4M3, F8_E5M2 -> throw new AssertionError(type);
      case I8, I16, I32, I64, BOOL, U8, U16, U32, U64 -> throw new AssertionError(type);
    };
  }
}
