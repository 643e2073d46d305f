package org.llamaj.checkpoint.synth;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.llamaj.LlamaException;
import org.llamaj.tensor.ElementType;

/**
 * Random values of mean zero and a given standard deviation, in any type that {@code FileType}
 * mixes. Quantised blocks get random bits, then scales that fit: nothing is quantised, so gigabytes
 * take seconds.
 */
final class RandomWeights {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  // Standard deviations of the integers (or levels) of random bits.
  private static final float OF_4_LEVELS = 1.118f;
  private static final float OF_8_LEVELS = 2.345f;
  private static final float OF_16_LEVELS = 4.61f;
  private static final float OF_32_LEVELS = 9.23f;
  private static final float OF_64_LEVELS = 18.48f;
  private static final float OF_256_LEVELS = 73.9f;
  private static final float OF_IQ4_LEVELS = 67.4f;
  private static final float OF_8_TO_15 = 11.7f;
  private static final float OF_32_TO_63 = 48.4f;

  private final ElementType type;
  private final float deviation;
  private final RandomBits random;

  RandomWeights(ElementType type, float deviation, RandomBits random) {
    this.type = type;
    this.deviation = deviation;
    this.random = random;
  }

  /** Fills memory, a whole number of blocks, with values. */
  void fill(MemorySegment out) {
    switch (type) {
      case F32, F16, BF16 -> fillFloats(out);
      default -> {
        long longs = out.byteSize() / 8;
        for (long i = 0; i < longs; i++) out.set(LONG, 8 * i, random.nextLong());
        for (long i = 8 * longs; i < out.byteSize(); i++) {
          out.set(JAVA_BYTE, i, (byte) random.nextLong());
        }
        for (long block = 0; block < out.byteSize(); block += type.blockBytes()) {
          setScales(out, block);
        }
      }
    }
  }

  private void fillFloats(MemorySegment out) {
    float unit = deviation * (float) Math.sqrt(3) / (1 << 23);
    long count = out.byteSize() / type.blockBytes();
    for (long i = 0; i < count; i++) {
      float value = (random.nextLong() >> 40) * unit;
      switch (type) {
        case F32 -> out.set(INT, 4 * i, Float.floatToRawIntBits(value));
        case F16 -> out.set(SHORT, 2 * i, Float.floatToFloat16(value));
        default -> out.set(SHORT, 2 * i, (short) (Float.floatToRawIntBits(value) >> 16));
      }
    }
  }

  private void setScales(MemorySegment out, long block) {
    switch (type) {
      case Q4_0 -> setHalf(out, block, signed(OF_16_LEVELS));
      case Q5_0 -> setHalf(out, block, signed(OF_32_LEVELS));
      case IQ4_NL -> setHalf(out, block, signed(OF_IQ4_LEVELS));
      case Q8_0 -> {
        setHalf(out, block, scale(OF_256_LEVELS));
        for (int i = 0; i < 4; i++) replaceMinus128(out, block + 2 + 8 * i);
      }
      case Q4_1 -> setScaleAndMinimum(out, block, scale(OF_16_LEVELS), -7.5f);
      case Q5_1 -> setScaleAndMinimum(out, block, scale(OF_32_LEVELS), -15.5f);
      case Q2_K -> {
        for (int i = 0; i < 16; i++) {
          int subScale = 8 + (out.get(JAVA_BYTE, block + i) & 7);
          out.set(JAVA_BYTE, block + i, (byte) (subScale | subScale << 4));
        }
        setScaleAndMinimum(out, block + 80, scale(OF_8_TO_15 * OF_4_LEVELS), 1.5f);
      }
      case Q3_K -> setHalf(out, block + 108, scale(OF_64_LEVELS * OF_8_LEVELS));
      case Q4_K -> {
        setSubScales(out, block + 4);
        setScaleAndMinimum(out, block, scale(OF_32_TO_63 * OF_16_LEVELS), 7.5f);
      }
      case Q5_K -> {
        setSubScales(out, block + 4);
        setScaleAndMinimum(out, block, scale(OF_32_TO_63 * OF_32_LEVELS), 15.5f);
      }
      case Q6_K -> setHalf(out, block + 208, scale(OF_256_LEVELS * OF_64_LEVELS));
      case IQ4_XS -> setHalf(out, block, scale(OF_64_LEVELS * OF_IQ4_LEVELS));
      default ->
          throw new LlamaException("random weights of type %s are not known".formatted(type));
    }
  }

  /** The scale for values that would have this standard deviation without it. */
  private float scale(float deviationOfQuants) {
    return deviation / deviationOfQuants * random.aroundOne();
  }

  /** As {@link #scale}, with a random sign where the quants' mean is not zero. */
  private float signed(float deviationOfQuants) {
    float scale = scale(deviationOfQuants);
    return random.nextLong() < 0 ? -scale : scale;
  }

  private static void setHalf(MemorySegment out, long offset, float value) {
    out.set(SHORT, offset, Float.floatToFloat16(value));
  }

  private static void setScaleAndMinimum(
      MemorySegment out, long offset, float scale, float minimumInScales) {
    setHalf(out, offset, scale);
    setHalf(out, offset + 2, scale * minimumInScales);
  }

  /** Eight 6-bit sub-scales from 32 to 63, and sub-minima equal to them: then the mean is zero. */
  private void setSubScales(MemorySegment out, long packed) {
    long bits = random.nextLong();
    for (int i = 0; i < 4; i++) {
      int first = 32 | (int) (bits >>> 5 * i) & 31;
      int second = 32 | (int) (bits >>> 20 + 5 * i) & 31;
      byte upper = (byte) (first | second >> 4 << 6);
      out.set(JAVA_BYTE, packed + i, upper);
      out.set(JAVA_BYTE, packed + 4 + i, upper);
      out.set(JAVA_BYTE, packed + 8 + i, (byte) (second & 15 | (second & 15) << 4));
    }
  }

  /** Makes -127 of the bytes that are -128, which no quantiser writes. */
  private static void replaceMinus128(MemorySegment out, long offset) {
    long bytes = out.get(LONG, offset);
    long zeroWhereFound = bytes ^ 0x8080808080808080L;
    long found = zeroWhereFound - 0x0101010101010101L & ~zeroWhereFound & 0x8080808080808080L;
    out.set(LONG, offset, bytes | found >>> 7);
  }
}
