package org.llamaj.kernel.cuda;

import java.util.Arrays;
import java.util.Optional;
import org.llamaj.tensor.ElementType;

/**
 * A weight type that has kernels of its own, under the same name as in {@code formats.cuh}. Blocks
 * are cut in two on the device: bytes that can be loaded 16 at a time, and the rest.
 */
enum WeightFormat {
  F32(0, 128),
  F16(0, 64),
  BF16(0, 64),
  Q4_0(2, 16),
  Q4_1(4, 16),
  Q5_0(6, 16),
  Q5_1(8, 16),
  Q8_0(2, 32),
  Q2_K(0, 80),
  Q3_K(0, 96),
  Q4_K(0, 144),
  Q5_K(0, 176),
  Q6_K(0, 208),
  IQ4_NL(2, 16),
  IQ4_XS(8, 128);

  /** Values of a chunk, which kernels read at once; rows of floats are padded to whole ones. */
  static final int CHUNK = 32;

  private final int mainOffset;
  private final int mainBytes;

  /**
   * @param mainOffset where the bytes that are loaded 16 at a time begin in a block
   * @param mainBytes how many they are
   */
  WeightFormat(int mainOffset, int mainBytes) {
    this.mainOffset = mainOffset;
    this.mainBytes = mainBytes;
  }

  static Optional<WeightFormat> of(ElementType type) {
    return Arrays.stream(values()).filter(format -> format.name().equals(type.name())).findFirst();
  }

  ElementType type() {
    return ElementType.valueOf(name());
  }

  boolean isFloat() {
    return !type().isQuantised();
  }

  /** Values of a block as the device has it. */
  int blockSize() {
    return isFloat() ? CHUNK : type().blockSize();
  }

  /** Bytes of a block in the file. */
  int blockBytes() {
    return isFloat() ? mainBytes : type().blockBytes();
  }

  int mainOffset() {
    return mainOffset;
  }

  int mainBytes() {
    return mainBytes;
  }

  int sideBytes() {
    return blockBytes() - mainBytes;
  }

  /** Blocks of a row. */
  long blocks(long columns) {
    return Math.ceilDiv(columns, (long) blockSize());
  }
}
