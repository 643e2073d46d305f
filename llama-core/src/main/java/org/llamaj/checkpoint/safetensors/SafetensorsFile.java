package org.llamaj.checkpoint.safetensors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.llamaj.LlamaException;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;

/**
 * One file: eight bytes with the length of the header, the header, the tensors' data without gaps.
 *
 * @param metadata the strings under {@code __metadata__}
 * @param tensors in the order of the header; those without any element are left out
 */
record SafetensorsFile(SequencedMap<String, MetadataValue> metadata, List<Tensor> tensors) {
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LENGTH_BYTES = 8;

  /** Ten times what the largest Llama has in all its files; bounds what reading it may take. */
  private static final long LARGEST_HEADER = 32L << 20;

  private static final String METADATA = "__metadata__";
  private static final int MAX_DIMENSIONS = 8;

  /** Where a tensor's data is, relative to the end of the header. */
  private record Range(String name, long begin, long end) {}

  static boolean looksLike(MemorySegment start, long size) {
    if (start.byteSize() <= LENGTH_BYTES || start.get(JAVA_BYTE, LENGTH_BYTES) != '{') return false;
    long length = start.get(LENGTH, 0);
    return length >= 2 && length <= size - LENGTH_BYTES;
  }

  static SafetensorsFile read(MemorySegment file, String source) {
    JsonObject header = header(file, source);
    MemorySegment data = file.asSlice(LENGTH_BYTES + file.get(LENGTH, 0));
    SequencedMap<String, MetadataValue> metadata = new LinkedHashMap<>();
    List<Tensor> tensors = new ArrayList<>();
    List<Range> ranges = new ArrayList<>();
    for (String name : header.names()) {
      if (name.equals(METADATA)) {
        JsonObject strings = header.requireObject(name);
        strings
            .names()
            .forEach(key -> metadata.put(key, MetadataValue.Text.of(strings.requireString(key))));
        continue;
      }
      JsonObject described = header.requireObject(name);
      ElementType type = type(described);
      Shape shape = shape(described);
      long bytes = shape == null ? 0 : bytes(described, type, shape);
      Range range = range(name, described, data.byteSize());
      ranges.add(range);
      if (range.end - range.begin != bytes) {
        throw described.wrong(
            "data_offsets",
            "%d bytes for %s %s".formatted(bytes, type, shape == null ? "[0]" : shape));
      }
      if (shape != null) {
        tensors.add(new Tensor(name, type, shape, data.asSlice(range.begin, bytes)));
      }
    }
    requireNoGapsOrOverlaps(ranges, data.byteSize(), source);
    return new SafetensorsFile(metadata, tensors);
  }

  private static JsonObject header(MemorySegment file, String source) {
    if (file.byteSize() < LENGTH_BYTES) {
      throw new CheckpointException(
          "%s: expected a safetensors file, found only %d bytes"
              .formatted(source, file.byteSize()));
    }
    long length = file.get(LENGTH, 0);
    if (length < 2 || length > LARGEST_HEADER) {
      throw new CheckpointException(
          "%s: expected a header of 2 to %d bytes, found a length of %s; is it a safetensors file?"
              .formatted(source, LARGEST_HEADER, Long.toUnsignedString(length)));
    }
    if (length > file.byteSize() - LENGTH_BYTES) {
      throw new CheckpointException(
          "%s: expected a header of %d bytes, found only %d bytes; is the file complete?"
              .formatted(source, length, file.byteSize() - LENGTH_BYTES));
    }
    return JsonObject.parse(
        source, file.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE));
  }

  private static ElementType type(JsonObject described) {
    return switch (described.requireString("dtype")) {
      case "F64" -> ElementType.F64;
      case "F32" -> ElementType.F32;
      case "F16" -> ElementType.F16;
      case "BF16" -> ElementType.BF16;
      case "F8_E4M3" -> ElementType.F8_E4M3;
      case "F8_E5M2" -> ElementType.F8_E5M2;
      case "I64" -> ElementType.I64;
      case "I32" -> ElementType.I32;
      case "I16" -> ElementType.I16;
      case "I8" -> ElementType.I8;
      case "U64" -> ElementType.U64;
      case "U32" -> ElementType.U32;
      case "U16" -> ElementType.U16;
      case "U8" -> ElementType.U8;
      case "BOOL" -> ElementType.BOOL;
      default -> throw described.wrong("dtype", "a type such as F32, BF16 or F8_E4M3");
    };
  }

  /** Null for a tensor without elements; a scalar is a vector of one. */
  private static Shape shape(JsonObject described) {
    if (!described.has("shape")) throw described.wrong("shape", "an array of integers");
    long[] sizes = described.integers("shape");
    if (sizes.length > MAX_DIMENSIONS) {
      throw described.wrong("shape", "at most %d dimensions".formatted(MAX_DIMENSIONS));
    }
    boolean empty = false;
    for (long size : sizes) {
      if (size < 0) throw described.wrong("shape", "dimensions of at least 0");
      empty |= size == 0;
    }
    if (empty) return null;
    try {
      return sizes.length == 0 ? Shape.of(1) : Shape.of(sizes);
    } catch (LlamaException e) {
      throw described.wrong("shape", "fewer than 2^63 values");
    }
  }

  private static long bytes(JsonObject described, ElementType type, Shape shape) {
    try {
      return type.bytes(shape);
    } catch (LlamaException e) {
      throw described.wrong("shape", "fewer than 2^63 bytes");
    }
  }

  private static Range range(String name, JsonObject described, long available) {
    long[] offsets = described.integers("data_offsets");
    if (offsets.length != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
      throw described.wrong("data_offsets", "two offsets, begin and end");
    }
    if (offsets[1] > available) {
      throw described.wrong(
          "data_offsets",
          "offsets within the %d bytes of data that are there (is the file complete?)"
              .formatted(available));
    }
    return new Range(name, offsets[0], offsets[1]);
  }

  /** The format wants all data to be named, once. */
  private static void requireNoGapsOrOverlaps(List<Range> ranges, long bytes, String source) {
    ranges.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
    long end = 0;
    for (Range range : ranges) {
      if (range.begin != end) {
        throw new CheckpointException(
            "%s: tensor %s: expected its data at offset %d, where the tensor before it ends, found %d"
                .formatted(source, range.name, end, range.begin));
      }
      end = range.end;
    }
    if (end != bytes) {
      throw new CheckpointException(
          "%s: expected %d bytes of data as the header says, found %d"
              .formatted(source, end, bytes));
    }
  }
}
