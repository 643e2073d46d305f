package org.llamaj.checkpoint.meta;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import org.llamaj.checkpoint.CheckpointException;

/**
 * The entries of a zip archive in memory (PKWARE's APPNOTE, with the 64-bit extension), stored
 * without compression as PyTorch does: each is a slice of the file.
 */
final class ZipArchive {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int LOCAL_HEADER = 0x04034B50;
  private static final int CENTRAL_HEADER = 0x02014B50;
  private static final int END = 0x06054B50;
  private static final int END_64 = 0x06064B50;
  private static final int LOCATOR_64 = 0x07064B50;
  private static final int END_BYTES = 22;
  private static final int LOCATOR_BYTES = 20;
  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int MAX_COMMENT = 0xFFFF;
  private static final int MAX_ENTRIES = 1 << 20;
  private static final long IN_EXTRA = 0xFFFFFFFFL;

  private final MemorySegment file;
  private final String source;
  private final SequencedMap<String, MemorySegment> entries = new LinkedHashMap<>();

  private ZipArchive(MemorySegment file, String source) {
    this.file = file;
    this.source = source;
  }

  static ZipArchive read(MemorySegment file, String source) {
    ZipArchive archive = new ZipArchive(file, source);
    try {
      archive.readDirectory();
    } catch (IndexOutOfBoundsException e) {
      throw archive.failure("expected a zip directory within the file; is the file complete?");
    }
    return archive;
  }

  SequencedMap<String, MemorySegment> entries() {
    return entries;
  }

  Optional<MemorySegment> find(String name) {
    return Optional.ofNullable(entries.get(name));
  }

  private void readDirectory() {
    long end = findEnd();
    long count = file.get(SHORT, end + 10) & 0xFFFF;
    long at = file.get(INT, end + 16) & 0xFFFFFFFFL;
    if (end >= LOCATOR_BYTES && file.get(INT, end - LOCATOR_BYTES) == LOCATOR_64) {
      long end64 = file.get(LONG, end - LOCATOR_BYTES + 8);
      if (file.get(INT, end64) != END_64) throw failure("damaged 64-bit end of its directory");
      count = file.get(LONG, end64 + 32);
      at = file.get(LONG, end64 + 48);
    }
    if (count < 0 || count > MAX_ENTRIES) {
      throw failure("expected at most %d entries, found %d".formatted(MAX_ENTRIES, count));
    }
    for (long i = 0; i < count; i++) at = readEntry(at);
  }

  private long findEnd() {
    long last = file.byteSize() - END_BYTES;
    for (long at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
      if (file.get(INT, at) == END) return at;
    }
    throw failure("expected a zip archive as PyTorch writes them, found no end of its directory");
  }

  /** Reads an entry of the directory; gives the place of the next. */
  private long readEntry(long at) {
    if (file.get(INT, at) != CENTRAL_HEADER) throw failure("damaged directory at offset " + at);
    int nameBytes = file.get(SHORT, at + 28) & 0xFFFF;
    int extraBytes = file.get(SHORT, at + 30) & 0xFFFF;
    int commentBytes = file.get(SHORT, at + 32) & 0xFFFF;
    String name =
        new String(
            file.asSlice(at + CENTRAL_BYTES, nameBytes).toArray(ValueLayout.JAVA_BYTE),
            StandardCharsets.UTF_8);
    if (file.get(SHORT, at + 10) != 0 || (file.get(SHORT, at + 8) & 1) != 0) {
      throw failure(name + ": expected an entry without compression and encryption");
    }
    Extra extra = new Extra(at + CENTRAL_BYTES + nameBytes, extraBytes);
    long size = extra.or(file.get(INT, at + 24) & 0xFFFFFFFFL);
    long stored = extra.or(file.get(INT, at + 20) & 0xFFFFFFFFL);
    long header = extra.or(file.get(INT, at + 42) & 0xFFFFFFFFL);
    if (size != stored) throw failure(name + ": expected as many bytes stored as there are");
    if (entries.put(name, data(name, header, size)) != null) {
      throw failure(name + ": expected unique names, found it twice");
    }
    return at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
  }

  private MemorySegment data(String name, long header, long size) {
    if (file.get(INT, header) != LOCAL_HEADER)
      throw failure(name + ": no entry where it should be");
    long start =
        header
            + LOCAL_BYTES
            + (file.get(SHORT, header + 26) & 0xFFFF)
            + (file.get(SHORT, header + 28) & 0xFFFF);
    if (size < 0 || start > file.byteSize() || size > file.byteSize() - start) {
      throw failure(
          "%s: expected %d bytes from offset %d on, found a file of %d; is it complete?"
              .formatted(name, size, start, file.byteSize()));
    }
    return file.asSlice(start, size);
  }

  /** The 64-bit numbers of an entry, in the order of those that do not fit 32 bits. */
  private final class Extra {
    private long at;
    private long end;

    Extra(long start, int bytes) {
      for (long field = start; field + 4 <= start + bytes; ) {
        int size = file.get(SHORT, field + 2) & 0xFFFF;
        if (file.get(SHORT, field) == 1) {
          at = field + 4;
          end = Math.min(start + bytes, at + size);
        }
        field += 4 + size;
      }
    }

    long or(long number) {
      if (number != IN_EXTRA) return number;
      if (at + 8 > end) throw failure("expected a 64-bit number in the directory, found none");
      at += 8;
      return file.get(LONG, at - 8);
    }
  }

  CheckpointException failure(String message) {
    return new CheckpointException(source + ": " + message);
  }
}
