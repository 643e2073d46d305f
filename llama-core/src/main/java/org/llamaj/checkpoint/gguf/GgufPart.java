package org.llamaj.checkpoint.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.Metadata;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/**
 * One file: header, metadata, tensor descriptions, and the tensors' data.
 *
 * @param metadata the file's key-value pairs
 * @param tensors in the order they are described
 */
record GgufPart(Metadata metadata, List<Tensor> tensors) {
  private static final int MAX_TENSORS = 1 << 20;
  private static final int MAX_NAME_BYTES = 1 << 12;
  static final int MAX_DIMENSIONS = 4;
  private static final int DEFAULT_ALIGNMENT = 32;

  /**
   * The fewest bytes of a description: length of the name, dimensions, one of them, type, offset.
   */
  private static final int MIN_DESCRIPTION_BYTES = 8 + 4 + 8 + 4 + 8;

  /** Where a tensor's data is said to be, relative to the data section. */
  private record Description(String name, ElementType type, Shape shape, long offset) {}

  static GgufPart read(MemorySegment file, String source) {
    GgufCursor cursor = new GgufCursor(file, source);
    readHeader(file, cursor);
    long tensorCount = cursor.count(MIN_DESCRIPTION_BYTES, "tensors", "header");
    if (tensorCount > MAX_TENSORS) {
      throw cursor.failure(
          "expected at most %d tensors, found %d".formatted(MAX_TENSORS, tensorCount));
    }
    long keyCount = cursor.count(GgufMetadataReader.MIN_PAIR_BYTES, "metadata keys", "header");
    Metadata metadata = new Metadata(source, new GgufMetadataReader(cursor).read(keyCount));
    int alignment = alignment(metadata);
    SequencedMap<String, Description> descriptions = new LinkedHashMap<>();
    for (long i = 0; i < tensorCount; i++) {
      Description description = readDescription(cursor, i, tensorCount);
      if (descriptions.put(description.name, description) != null) {
        throw cursor.failure(
            "tensor %s: expected unique names, found it twice".formatted(description.name));
      }
    }
    long dataStart = (cursor.position() + alignment - 1) / alignment * alignment;
    List<Tensor> tensors = new ArrayList<>(descriptions.size());
    for (Description description : descriptions.values()) {
      tensors.add(tensor(file, source, dataStart, alignment, description));
    }
    requireNoOverlap(tensors, source);
    return new GgufPart(metadata, tensors);
  }

  private static void readHeader(MemorySegment file, GgufCursor cursor) {
    int magic = cursor.i32("magic number");
    if (magic != GgufHeader.MAGIC) {
      throw cursor.failure("expected a GGUF file, found " + likelyFormat(file));
    }
    int version = cursor.i32("version");
    if (version != 2 && version != 3) {
      boolean bigEndian = Integer.reverseBytes(version) == 2 || Integer.reverseBytes(version) == 3;
      throw cursor.failure(
          "expected version 2 or 3 in little-endian order, found "
              + (bigEndian
                  ? "a big-endian file; convert it"
                  : "version %s".formatted(Integer.toUnsignedString(version))));
    }
  }

  private static String likelyFormat(MemorySegment file) {
    byte[] start = file.asSlice(0, Math.min(16, file.byteSize())).toArray(JAVA_BYTE);
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (text.startsWith("<")) return "a web page: the download went wrong";
    if (text.startsWith("{", 8)) return "a safetensors file: convert it";
    if (text.startsWith("PK")) return "a zip archive or PyTorch file: convert it";
    if (text.startsWith("version https")) return "a Git LFS pointer: fetch the file itself";
    return "bytes \"%s\"".formatted(text.replaceAll("[^ -~]", "."));
  }

  /** The multiple at which tensors start. */
  static int alignment(Metadata metadata) {
    int alignment = metadata.intOr("general.alignment", DEFAULT_ALIGNMENT, 1, 1 << 30);
    if (Integer.bitCount(alignment) != 1) {
      throw new CheckpointException(
          "%s: general.alignment: expected a power of two, found %d"
              .formatted(metadata.source(), alignment));
    }
    return alignment;
  }

  private static Description readDescription(GgufCursor cursor, long index, long count) {
    String name =
        cursor.name(MAX_NAME_BYTES, "name of tensor %d of %d".formatted(index + 1, count));
    int rank = cursor.i32("dimensions of " + name);
    if (rank < 1 || rank > MAX_DIMENSIONS) {
      throw cursor.failure(
          "tensor %s: expected 1 to %d dimensions, found %s"
              .formatted(name, MAX_DIMENSIONS, Integer.toUnsignedString(rank)));
    }
    long[] sizes = new long[rank];
    for (int i = rank - 1; i >= 0; i--) sizes[i] = cursor.i64("dimensions of " + name);
    int typeId = cursor.i32("type of " + name);
    ElementType type =
        ElementType.ofGgml(typeId)
            .orElseThrow(
                () ->
                    cursor.failure(
                        "tensor %s: expected a ggml type that this library knows, found number %d"
                            .formatted(name, typeId)));
    long offset = cursor.i64("offset of " + name);
    try {
      return new Description(name, type, Shape.of(sizes), offset);
    } catch (LlamaException e) {
      throw cursor.failure("tensor %s: %s".formatted(name, e.getMessage()));
    }
  }

  private static Tensor tensor(
      MemorySegment file, String source, long dataStart, int alignment, Description described) {
    long bytes;
    try {
      bytes = described.type.bytes(described.shape);
    } catch (LlamaException e) {
      throw failure(source, described.name, e.getMessage());
    }
    if (described.offset < 0 || described.offset % alignment != 0) {
      throw failure(
          source,
          described.name,
          "expected an offset that is a multiple of the alignment %d, found %s"
              .formatted(alignment, Long.toUnsignedString(described.offset)));
    }
    long available = file.byteSize() - dataStart;
    if (bytes > available || described.offset > available - bytes) {
      throw failure(
          source,
          described.name,
          "expected %d bytes of %s %s from offset %d on, found only %d bytes of data; is the file complete?"
              .formatted(
                  bytes,
                  described.type,
                  described.shape,
                  described.offset,
                  Math.max(0, available)));
    }
    return new Tensor(
        described.name,
        described.type,
        described.shape,
        file.asSlice(dataStart + described.offset, bytes));
  }

  private static void requireNoOverlap(List<Tensor> tensors, String source) {
    List<Tensor> byPlace = new ArrayList<>(tensors);
    byPlace.sort(Comparator.comparingLong(tensor -> tensor.data().address()));
    for (int i = 1; i < byPlace.size(); i++) {
      Tensor before = byPlace.get(i - 1);
      Tensor tensor = byPlace.get(i);
      long overlap = before.data().address() + before.data().byteSize() - tensor.data().address();
      if (overlap > 0) {
        throw failure(
            source,
            tensor.name(),
            "expected data of its own, found %d bytes shared with %s"
                .formatted(overlap, before.name()));
      }
    }
  }

  private static CheckpointException failure(String source, String tensor, String message) {
    return new CheckpointException("%s: tensor %s: %s".formatted(source, tensor, message));
  }
}
