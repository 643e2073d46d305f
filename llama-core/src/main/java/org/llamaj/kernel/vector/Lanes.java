package org.llamaj.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this JVM, and loads from raw addresses. All constants are static and final:
 * C2 folds them, and only then becomes a vector operation one instruction.
 *
 * <p>The width is the machine's preferred one, at most 512 bits; the system property {@value
 * #BITS_PROPERTY} (128, 256 or 512) overrides it, for tests and for machines whose wide units are
 * slow.
 */
final class Lanes {

  static final String BITS_PROPERTY = "llamaj.vector.bits";

  /**
   * All memory, addressed from 0: a load costs no look at the bounds of a segment. Addresses come
   * from segments whose size was checked when tensors and matrices were made.
   */
  static final MemorySegment ALL = allMemory();

  static final VectorSpecies<Float> F = VectorSpecies.of(float.class, shape());
  static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());

  /** Floats in a vector: 4, 8 or 16. */
  static final int LANES = F.length();

  /** Bytes of a vector of floats. */
  static final int VECTOR_BYTES = 4 * LANES;

  /** Half as wide, as many lanes. */
  static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(16 * LANES));

  /** A quarter as wide, as many lanes; there are no vectors of 4 bytes. */
  private static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * LANES)));

  private static final IntVector BYTE_SHIFTS =
      IntVector.zero(I).addIndex(1).and(3).lanewise(VectorOperators.LSHL, 3);

  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);

  private Lanes() {}

  /** Why vectors cannot be used, or null. Loading this class fails without native access. */
  static String refusal() {
    String forced = System.getProperty(BITS_PROPERTY);
    if (forced != null && !forced.matches("128|256|512")) {
      return BITS_PROPERTY + ": expected 128, 256 or 512, found " + forced;
    }
    return ByteOrder.nativeOrder() == LE ? null : "the processor is not little-endian";
  }

  private static VectorShape shape() {
    int preferred = Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
    return refusal() == null
        ? VectorShape.forBitSize(Integer.getInteger(BITS_PROPERTY, preferred))
        : VectorShape.forBitSize(preferred);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment allMemory() {
    return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  }

  static byte i8(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  static int i32(long address) {
    return ALL.get(INT, address);
  }

  static void i64(long address, long value) {
    ALL.set(LONG, address, value);
  }

  static float f32(long address) {
    return ALL.get(FLOAT, address);
  }

  static void f32(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  static float f16(long address) {
    return Float.float16ToFloat(ALL.get(SHORT, address));
  }

  static void f16(long address, float value) {
    ALL.set(SHORT, address, Float.floatToFloat16(value));
  }

  static FloatVector broadcast(float value) {
    return FloatVector.broadcast(F, value);
  }

  static FloatVector floats(long address) {
    return FloatVector.fromMemorySegment(F, ALL, address, LE);
  }

  static void store(FloatVector vector, long address) {
    vector.intoMemorySegment(ALL, address, LE);
  }

  static FloatVector toFloat(IntVector vector) {
    return (FloatVector) vector.convert(VectorOperators.I2F, 0);
  }

  /** As many unsigned bytes as there are lanes. */
  static IntVector unsignedBytes(long address) {
    if (LANES == 4) {
      return IntVector.broadcast(I, ALL.get(INT, address))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .and(0xFF);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, ALL, address, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /** As many signed bytes as there are lanes, as floats. */
  static FloatVector signedBytes(long address) {
    if (LANES == 4) {
      return toFloat(
          IntVector.broadcast(I, ALL.get(INT, address))
              .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
              .lanewise(VectorOperators.LSHL, 24)
              .lanewise(VectorOperators.ASHR, 24));
    }
    return (FloatVector)
        ByteVector.fromMemorySegment(B, ALL, address, LE).convertShape(VectorOperators.B2F, F, 0);
  }

  /**
   * As many half-precision values as there are lanes. Exponent and mantissa are moved to their
   * places in a float, which makes it 2^-112 of the value, for subnormals too. Infinities become
   * 65536: weights and cached keys have none.
   */
  static FloatVector halves(long address) {
    return signedShorts(address)
        .lanewise(VectorOperators.LSHL, 13)
        .and(0x8FFFE000)
        .reinterpretAsFloats()
        .mul(0x1p112f);
  }

  /** As many bfloat16 values as there are lanes. */
  static FloatVector brainFloats(long address) {
    return signedShorts(address).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static IntVector signedShorts(long address) {
    return (IntVector)
        ShortVector.fromMemorySegment(S, ALL, address, LE).convertShape(VectorOperators.S2I, I, 0);
  }
}
