package org.llamaj.checkpoint.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.llamaj.checkpoint.CheckpointException;

/** Reads a file from its start; nothing is read, or believed to be there, beyond its end. */
final class GgufCursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private static final int WINDOW = 1 << 16;

  private final MemorySegment file;
  private final String source;
  private long position;
  private long field;

  GgufCursor(MemorySegment file, String source) {
    this.file = file;
    this.source = source;
  }

  long position() {
    return position;
  }

  long remaining() {
    return file.byteSize() - position;
  }

  byte i8(String what) {
    return file.get(JAVA_BYTE, take(1, what));
  }

  int i32(String what) {
    return file.get(INT, take(4, what));
  }

  long i64(String what) {
    return file.get(LONG, take(8, what));
  }

  /**
   * A number of things that follow, so many that the rest of the file can hold them.
   *
   * @param bytesEach the fewest bytes that one of them takes
   * @param unit what messages call them
   */
  long count(long bytesEach, String unit, String what) {
    long count = i64(what);
    if (count < 0 || count > remaining() / bytesEach) {
      throw failure(
          "%s: expected at most %d %s, as the rest of the file is %d bytes long, found %s"
              .formatted(
                  what, remaining() / bytesEach, unit, remaining(), Long.toUnsignedString(count)));
    }
    return count;
  }

  /** A name: a length of at most {@code limit}, then UTF-8. */
  String name(int limit, String what) {
    MemorySegment utf8 = string(what);
    if (utf8.byteSize() > limit) {
      throw failure(
          "%s: expected at most %d bytes, found %d".formatted(what, limit, utf8.byteSize()));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(utf8.toArray(JAVA_BYTE)))
          .toString();
    } catch (CharacterCodingException e) {
      throw failure(what + ": expected UTF-8, found other bytes");
    }
  }

  /** A length, then so many bytes. */
  MemorySegment string(String what) {
    return bytes(count(1, "bytes", what), what);
  }

  /**
   * Passes strings, hundreds of thousands perhaps: without an object for each, and on bytes in an
   * array, as no more is compiled yet when a program begins to load its model.
   */
  void skipStrings(long count, String what) {
    byte[] window = new byte[WINDOW];
    long start = position;
    long end = position;
    for (long i = 0; i < count; i++) {
      if (position + 8 > end) {
        start = position;
        end = start + Math.min(WINDOW, remaining());
        MemorySegment.copy(file, JAVA_BYTE, start, window, 0, (int) (end - start));
      }
      int at = (int) (position - start);
      int length = position + 8 > end ? -1 : shortLength(window, at);
      if (length < 0 || length > remaining() - 8) {
        take(count(1, "bytes", what), what);
      } else {
        position += 8 + length;
      }
    }
  }

  /** A length of less than 2^31, or a negative number if it is none. */
  private static int shortLength(byte[] window, int at) {
    boolean isShort = (window[at + 4] | window[at + 5] | window[at + 6] | window[at + 7]) == 0;
    return !isShort
        ? -1
        : window[at] & 0xFF
            | (window[at + 1] & 0xFF) << 8
            | (window[at + 2] & 0xFF) << 16
            | window[at + 3] << 24;
  }

  MemorySegment bytes(long length, String what) {
    return file.asSlice(take(length, what), length);
  }

  /** The bytes from an earlier position up to here. */
  MemorySegment since(long start) {
    return file.asSlice(start, position - start);
  }

  /** Goes on and gives the place of the field that was passed. */
  private long take(long bytes, String what) {
    field = position;
    if (bytes > remaining()) {
      throw failure(
          "%s: expected %d bytes, found the end of the file after %d"
              .formatted(what, bytes, remaining()));
    }
    position += bytes;
    return field;
  }

  /** Says what is wrong with the field that was read last. */
  CheckpointException failure(String message) {
    return new CheckpointException("%s, byte %d: %s".formatted(source, field, message));
  }
}
