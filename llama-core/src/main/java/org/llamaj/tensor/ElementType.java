package org.llamaj.tensor;

import java.util.Optional;
import org.llamaj.LlamaException;

/**
 * How the values of a tensor are stored. Names and numbers are those of ggml; the types after them
 * occur in safetensors files only. Quantised types pack a block of neighbouring values of one row
 * together with their scales.
 */
public enum ElementType {
  /** IEEE single precision. */
  F32(0, 1, 4),
  /** IEEE half precision. */
  F16(1, 1, 2),
  /** 4 bits, one scale for 32 values. */
  Q4_0(2, 32, 18),
  /** 4 bits, scale and minimum for 32 values. */
  Q4_1(3, 32, 20),
  /** 5 bits, one scale for 32 values. */
  Q5_0(6, 32, 22),
  /** 5 bits, scale and minimum for 32 values. */
  Q5_1(7, 32, 24),
  /** 8 bits, one scale for 32 values. */
  Q8_0(8, 32, 34),
  /** 8 bits, scale and scaled sum for 32 values; an intermediate format. */
  Q8_1(9, 32, 36),
  /** 2 bits in super-blocks of 16 x 16 values. */
  Q2_K(10, 256, 84),
  /** 3 bits in super-blocks of 16 x 16 values. */
  Q3_K(11, 256, 110),
  /** 4 bits in super-blocks of 8 x 32 values. */
  Q4_K(12, 256, 144),
  /** 5 bits in super-blocks of 8 x 32 values. */
  Q5_K(13, 256, 176),
  /** 6 bits in super-blocks of 16 x 16 values. */
  Q6_K(14, 256, 210),
  /** 8 bits with a single-precision scale for 256 values; an intermediate format. */
  Q8_K(15, 256, 292),
  /** 2.06 bits: points of an 8-dimensional codebook. */
  IQ2_XXS(16, 256, 66),
  /** 2.31 bits: points of an 8-dimensional codebook. */
  IQ2_XS(17, 256, 74),
  /** 3.06 bits: points of a 4-dimensional codebook. */
  IQ3_XXS(18, 256, 98),
  /** 1.56 bits: points of an 8-dimensional codebook of -1, 0, 1. */
  IQ1_S(19, 256, 50),
  /** 4 bits on a non-linear scale, 32 values. */
  IQ4_NL(20, 32, 18),
  /** 3.44 bits: points of a 4-dimensional codebook. */
  IQ3_S(21, 256, 110),
  /** 2.56 bits: points of an 8-dimensional codebook. */
  IQ2_S(22, 256, 82),
  /** 4 bits on a non-linear scale in super-blocks of 8 x 32 values. */
  IQ4_XS(23, 256, 136),
  /** Signed 8-bit integers. */
  I8(24, 1, 1),
  /** Signed 16-bit integers. */
  I16(25, 1, 2),
  /** Signed 32-bit integers. */
  I32(26, 1, 4),
  /** Signed 64-bit integers. */
  I64(27, 1, 8),
  /** IEEE double precision. */
  F64(28, 1, 8),
  /** 1.75 bits: points of an 8-dimensional codebook of -1, 0, 1. */
  IQ1_M(29, 256, 56),
  /** The upper half of single precision. */
  BF16(30, 1, 2),
  /** Ternary, five values in a byte. */
  TQ1_0(34, 256, 54),
  /** Ternary, four values in a byte. */
  TQ2_0(35, 256, 66),
  /** OCP microscaling: E2M1 values, one power-of-two scale for 32. */
  MXFP4(39, 32, 17),
  /** E2M1 values, one E4M3 scale for 16. */
  NVFP4(40, 64, 36),
  /** Signs, one scale for 128 values. */
  Q1_0(41, 128, 18),
  /** 2 bits, one scale for 64 values. */
  Q2_0(42, 64, 18),
  /** 8-bit float: 4 bits of exponent, 3 of mantissa, no infinities (OCP's E4M3). */
  F8_E4M3(ElementType.NOT_GGML, 1, 1),
  /** 8-bit float: 5 bits of exponent, 2 of mantissa (OCP's E5M2). */
  F8_E5M2(ElementType.NOT_GGML, 1, 1),
  /** A byte that is 0 or not. */
  BOOL(ElementType.NOT_GGML, 1, 1),
  /** Unsigned 8-bit integers. */
  U8(ElementType.NOT_GGML, 1, 1),
  /** Unsigned 16-bit integers. */
  U16(ElementType.NOT_GGML, 1, 2),
  /** Unsigned 32-bit integers. */
  U32(ElementType.NOT_GGML, 1, 4),
  /** Unsigned 64-bit integers. */
  U64(ElementType.NOT_GGML, 1, 8);

  private static final int NOT_GGML = -1;

  private static final ElementType[] BY_GGML_ID = byGgmlId();

  private final int ggmlId;
  private final int blockSize;
  private final int blockBytes;

  ElementType(int ggmlId, int blockSize, int blockBytes) {
    this.ggmlId = ggmlId;
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  private static ElementType[] byGgmlId() {
    ElementType[] types = new ElementType[43];
    for (ElementType type : values()) {
      if (type.isGgml()) types[type.ggmlId] = type;
    }
    return types;
  }

  /**
   * The type with this number in GGUF files.
   *
   * @param ggmlId any number
   * @return empty for numbers that ggml does not define or has removed
   */
  public static Optional<ElementType> ofGgml(int ggmlId) {
    return ggmlId < 0 || ggmlId >= BY_GGML_ID.length
        ? Optional.empty()
        : Optional.ofNullable(BY_GGML_ID[ggmlId]);
  }

  /** {@return whether GGUF files can have tensors of this type} */
  public boolean isGgml() {
    return ggmlId != NOT_GGML;
  }

  /** {@return the number of this type in GGUF files; -1 if they cannot have it} */
  public int ggmlId() {
    return ggmlId;
  }

  /** {@return how many values of a row a block holds; 1 for types that are not quantised} */
  public int blockSize() {
    return blockSize;
  }

  /** {@return the bytes of a block} */
  public int blockBytes() {
    return blockBytes;
  }

  /** {@return whether values are packed in blocks} */
  public boolean isQuantised() {
    return blockSize > 1;
  }

  /**
   * The bytes of a row.
   *
   * @param columns values in the row, a multiple of the block size
   * @return bytes
   * @throws LlamaException if the row is not a whole number of blocks or has over 2^63 bytes
   */
  public long rowBytes(long columns) {
    if (columns < 0 || columns % blockSize != 0) {
      throw new LlamaException(
          "%s: expected rows of a multiple of %d values, found %d"
              .formatted(this, blockSize, columns));
    }
    long blocks = columns / blockSize;
    if (blocks > Long.MAX_VALUE / blockBytes) {
      throw new LlamaException(
          "%s: a row of %d values has more bytes than can be addressed".formatted(this, columns));
    }
    return blocks * blockBytes;
  }

  /**
   * The bytes of a tensor.
   *
   * @param shape whose rows are whole numbers of blocks
   * @return bytes
   * @throws LlamaException if a row is not a whole number of blocks, or there are over 2^63 bytes
   */
  public long bytes(Shape shape) {
    long rowBytes = rowBytes(shape.columns());
    if (shape.rows() > Long.MAX_VALUE / rowBytes) {
      throw new LlamaException("%s %s has more bytes than can be addressed".formatted(this, shape));
    }
    return shape.rows() * rowBytes;
  }
}
