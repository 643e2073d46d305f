package org.llamaj.checkpoint.gguf;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Real;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;

/** Reads the key-value pairs. Arrays are walked, to know that they are whole, but not decoded. */
final class GgufMetadataReader {
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_KEY_BYTES = 1 << 16;
  private static final int MAX_NESTING = 8;

  /** The fewest bytes of a pair: length of the key, type, value. */
  static final int MIN_PAIR_BYTES = 8 + 4 + 1;

  private final GgufCursor cursor;

  GgufMetadataReader(GgufCursor cursor) {
    this.cursor = cursor;
  }

  SequencedMap<String, MetadataValue> read(long count) {
    if (count > MAX_KEYS) {
      throw cursor.failure(
          "expected at most %d metadata keys, found %d".formatted(MAX_KEYS, count));
    }
    SequencedMap<String, MetadataValue> values = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      String key = cursor.name(MAX_KEY_BYTES, "metadata key %d of %d".formatted(i + 1, count));
      MetadataValue value = value(type("type of " + key), key);
      if (values.put(key, value) != null) {
        throw cursor.failure(key + ": expected unique metadata keys, found it twice");
      }
    }
    return values;
  }

  private MetadataType type(String what) {
    int id = cursor.i32(what);
    return MetadataType.of(id)
        .orElseThrow(
            () ->
                cursor.failure("%s: expected a number from 0 to 12, found %d".formatted(what, id)));
  }

  private MetadataValue value(MetadataType type, String key) {
    return switch (type) {
      case UINT8 -> new Whole(type, cursor.i8(key) & 0xFF);
      case INT8 -> new Whole(type, cursor.i8(key));
      case UINT16 -> new Whole(type, i16(key) & 0xFFFF);
      case INT16 -> new Whole(type, i16(key));
      case UINT32 -> new Whole(type, cursor.i32(key) & 0xFFFFFFFFL);
      case INT32 -> new Whole(type, cursor.i32(key));
      case UINT64, INT64 -> new Whole(type, cursor.i64(key));
      case FLOAT32 -> new Real(type, Float.intBitsToFloat(cursor.i32(key)));
      case FLOAT64 -> new Real(type, Double.longBitsToDouble(cursor.i64(key)));
      case BOOL -> new Flag(flag(key));
      case STRING -> new Text(cursor.string(key));
      case ARRAY -> sequence(key, 1);
    };
  }

  private short i16(String key) {
    return (short) (cursor.i8(key) & 0xFF | cursor.i8(key) << 8);
  }

  private boolean flag(String key) {
    byte value = cursor.i8(key);
    if (value != 0 && value != 1) {
      throw cursor.failure("%s: expected a boolean of 0 or 1, found %d".formatted(key, value));
    }
    return value == 1;
  }

  private Sequence sequence(String key, int depth) {
    if (depth > MAX_NESTING) {
      throw cursor.failure(
          "%s: expected at most %d arrays inside each other, found more"
              .formatted(key, MAX_NESTING));
    }
    MetadataType elementType = type("element type of " + key);
    long bytesEach =
        switch (elementType) {
          case STRING -> 8;
          case ARRAY -> 12;
          default -> elementType.bytes();
        };
    long size = cursor.count(bytesEach, "elements", key);
    long start = cursor.position();
    switch (elementType) {
      case STRING -> cursor.skipStrings(size, key);
      case ARRAY -> {
        for (long i = 0; i < size; i++) sequence(key, depth + 1);
      }
      case BOOL -> {
        for (long i = 0; i < size; i++) flag(key);
      }
      default -> cursor.bytes(size * bytesEach, key);
    }
    return new Sequence(elementType, size, cursor.since(start));
  }
}
