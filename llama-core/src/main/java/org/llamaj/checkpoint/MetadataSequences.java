package org.llamaj.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.tokenizer.ByteStrings;

/** The encoding of metadata values; all numbers are little-endian and unaligned. */
final class MetadataSequences {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private MetadataSequences() {}

  /** The array is copied as it is; the lengths stay between the strings. */
  static ByteStrings strings(Sequence sequence) {
    require(sequence, sequence.elementType() == MetadataType.STRING, "strings");
    byte[] bytes = bytes(sequence.encoded());
    int[] starts = new int[length(sequence)];
    int[] ends = new int[starts.length];
    int at = 0;
    for (int i = 0; i < starts.length; i++) {
      starts[i] = at + 8;
      int length = starts[i] > bytes.length ? -1 : lowInt(bytes, at);
      if (length < 0 || length > bytes.length - starts[i]) {
        throw new CheckpointException("expected a file that stays as it is, found it changed");
      }
      at = starts[i] + length;
      ends[i] = at;
    }
    return new ByteStrings(bytes, starts, ends);
  }

  /**
   * An integer of less than 2^31, byte by byte: when a vocabulary is read, programs have just
   * started, and views of memory are slow until they are compiled.
   */
  private static int lowInt(byte[] bytes, int at) {
    return bytes[at] & 0xFF
        | (bytes[at + 1] & 0xFF) << 8
        | (bytes[at + 2] & 0xFF) << 16
        | bytes[at + 3] << 24;
  }

  static int[] ints(Sequence sequence) {
    MetadataType type = sequence.elementType();
    require(sequence, type.isInteger(), "integers");
    return whileOpen(
        () -> {
          if (type == MetadataType.INT32) {
            return sequence.encoded().toArray(INT);
          }
          int[] ints = new int[length(sequence)];
          for (int i = 0; i < ints.length; i++) {
            long value = whole(sequence.encoded(), type, (long) i * type.bytes());
            if (value != (int) value) {
              throw new CheckpointException(
                  "expected 32-bit integers, found %s at index %d"
                      .formatted(new Whole(type, value), i));
            }
            ints[i] = (int) value;
          }
          return ints;
        });
  }

  static float[] floats(Sequence sequence) {
    MetadataType type = sequence.elementType();
    require(sequence, type.isReal(), "numbers");
    return whileOpen(
        () -> {
          float[] floats = new float[length(sequence)];
          for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) real(sequence.encoded(), type, (long) i * type.bytes());
          }
          return floats;
        });
  }

  static MetadataValue[] first(Sequence sequence, int limit) {
    return whileOpen(
        () -> {
          MetadataValue[] values = new MetadataValue[(int) Math.min(limit, sequence.size())];
          long offset = 0;
          for (int i = 0; i < values.length; i++) {
            values[i] = value(sequence.encoded(), sequence.elementType(), offset);
            offset += encodedBytes(values[i]);
          }
          return values;
        });
  }

  /** The value at this place of well-formed memory. */
  private static MetadataValue value(MemorySegment encoded, MetadataType type, long offset) {
    return switch (type) {
      case BOOL -> new Flag(encoded.get(JAVA_BYTE, offset) != 0);
      case FLOAT32, FLOAT64 -> new Real(type, real(encoded, type, offset));
      case STRING -> new Text(encoded.asSlice(offset + 8, encoded.get(LONG, offset)));
      case ARRAY -> {
        MetadataType elementType = MetadataType.of(encoded.get(INT, offset)).orElseThrow();
        long size = encoded.get(LONG, offset + 4);
        long start = offset + 12;
        long end = start;
        if (elementType.bytes() > 0) {
          end += size * elementType.bytes();
        } else {
          for (long i = 0; i < size; i++) end += encodedBytes(value(encoded, elementType, end));
        }
        yield new Sequence(elementType, size, encoded.asSlice(start, end - start));
      }
      default -> new Whole(type, whole(encoded, type, offset));
    };
  }

  private static long encodedBytes(MetadataValue value) {
    return switch (value) {
      case Text text -> 8 + text.utf8().byteSize();
      case Sequence sequence -> 12 + sequence.encoded().byteSize();
      default -> value.type().bytes();
    };
  }

  private static long whole(MemorySegment encoded, MetadataType type, long offset) {
    return switch (type) {
      case UINT8 -> encoded.get(JAVA_BYTE, offset) & 0xFF;
      case INT8 -> encoded.get(JAVA_BYTE, offset);
      case UINT16 -> encoded.get(SHORT, offset) & 0xFFFF;
      case INT16 -> encoded.get(SHORT, offset);
      case UINT32 -> encoded.get(INT, offset) & 0xFFFFFFFFL;
      case INT32 -> encoded.get(INT, offset);
      case UINT64, INT64 -> encoded.get(LONG, offset);
      default -> throw new AssertionError(type);
    };
  }

  private static double real(MemorySegment encoded, MetadataType type, long offset) {
    return type == MetadataType.FLOAT32
        ? Float.intBitsToFloat(encoded.get(INT, offset))
        : Double.longBitsToDouble(encoded.get(LONG, offset));
  }

  static Sequence ofStrings(byte[][] elements) {
    long bytes = 0;
    for (byte[] element : elements) bytes += 8 + element.length;
    ByteBuffer buffer = buffer(bytes);
    for (byte[] element : elements) buffer.putLong(element.length).put(element);
    return sequence(MetadataType.STRING, elements.length, buffer);
  }

  static Sequence ofInts(int[] elements) {
    ByteBuffer buffer = buffer(4L * elements.length);
    for (int element : elements) buffer.putInt(element);
    return sequence(MetadataType.INT32, elements.length, buffer);
  }

  static Sequence ofFloats(float[] elements) {
    ByteBuffer buffer = buffer(4L * elements.length);
    for (float element : elements) buffer.putFloat(element);
    return sequence(MetadataType.FLOAT32, elements.length, buffer);
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Sequence sequence(MetadataType type, int size, ByteBuffer buffer) {
    return new Sequence(type, size, MemorySegment.ofBuffer(buffer.flip()));
  }

  static byte[] bytes(MemorySegment segment) {
    if (segment.byteSize() > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(
          "expected a value of less than 2 GiB, found %d bytes".formatted(segment.byteSize()));
    }
    return whileOpen(() -> segment.toArray(JAVA_BYTE));
  }

  private static int length(Sequence sequence) {
    if (sequence.size() > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(
          "expected an array of less than 2^31 elements, found " + sequence.size());
    }
    return (int) sequence.size();
  }

  private static void require(Sequence sequence, boolean condition, String expected) {
    if (!condition) {
      throw new CheckpointException(
          "expected an array of %s, found an %s".formatted(expected, sequence.noun()));
    }
  }

  private static <T> T whileOpen(Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (IllegalStateException e) {
      throw new CheckpointException("the checkpoint that this value is from is closed", e);
    }
  }
}
