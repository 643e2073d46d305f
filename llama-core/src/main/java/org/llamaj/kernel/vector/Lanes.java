package org.llamaj.kernel.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
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

  /** First: the vector width depends on it. */
  static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  static final String BITS_PROPERTY = "llamaj.vector.bits";

  /**
   * All memory, addressed from 0: a load costs no look at the bounds of a segment. Addresses come
   * from segments whose size was checked when tensors and matrices were made.
   */
  static final MemorySegment ALL = allMemory();

  /**
   * What an address has. Of {@code address & ADDRESS}, plus a small constant, C2 knows that it is
   * within {@link #ALL}, so that even the comparison with the end of all memory goes.
   */
  static final long ADDRESS = Long.MAX_VALUE >>> 1;

  static final VectorSpecies<Float> F = VectorSpecies.of(float.class, shape());
  static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());

  /** Floats in a vector: 4, 8 or 16. */
  static final int LANES = F.length();

  /** Bytes of a vector of floats. */
  static final int VECTOR_BYTES = 4 * LANES;

  /** As wide, twice as many lanes. */
  static final VectorSpecies<Short> W = VectorSpecies.of(short.class, F.vectorShape());

  /** Half as wide, as many lanes. */
  static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(16 * LANES));

  /**
   * A quarter as wide, as many lanes. There are no vectors of 4 bytes, so with 4 lanes this reads 4
   * bytes more than are used; see {@link #OVERREAD}.
   */
  static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * LANES)));

  /** How many bytes behind the end of a weight matrix may be read. */
  static final int OVERREAD = B.length() - LANES;

  static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
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

  /** For what is not in a loop over vectors. */
  static float f32(long address) {
    return ALL.get(FLOAT, address);
  }

  static void f32(long address, float value) {
    ALL.set(FLOAT, address, value);
  }
}
