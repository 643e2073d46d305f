package org.llamaj.tokenizer.json;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.llamaj.tokenizer.ByteStrings;

/**
 * A JSON array of many strings, or an object with many names and whole numbers, without an object
 * for each.
 *
 * @param texts the strings, or the names, in UTF-8
 * @param numbers the value of each name; empty for an array
 * @param isObject whether it was an object
 * @param other the first value that was something else, or null if there was none; it has no place
 *     among the others
 */
public record JsonStrings(ByteStrings texts, long[] numbers, boolean isObject, Object other) {

  /** {@return the beginning, for messages} */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(isObject ? "{" : "[");
    for (int i = 0; i < Math.min(texts.size(), 3); i++) {
      text.append(new String(texts.get(i), StandardCharsets.UTF_8)).append(", ");
    }
    return text.append("...").toString();
  }

  /** Collects the strings. */
  static final class Builder {
    private byte[] bytes = new byte[1 << 12];
    private int[] starts = new int[1 << 8];
    private int[] ends = new int[1 << 8];
    private long[] numbers = new long[0];
    private int length;
    private int size;
    private Object other;

    /** Adds a string. */
    void add(char[] source, int from, int count) {
      begin();
      append(source, from, count);
      end();
    }

    /** Adds a name and its value. */
    void number(long value) {
      if (numbers.length < size) numbers = Arrays.copyOf(numbers, starts.length);
      numbers[size - 1] = value;
    }

    /** Forgets the last name, whose value is something else. */
    void drop(Object value) {
      size--;
      other(value);
    }

    /** Notes what is neither. */
    void other(Object value) {
      if (other == null) other = value == null ? "null" : value;
    }

    private void begin() {
      if (size == starts.length) {
        starts = Arrays.copyOf(starts, 2 * size);
        ends = Arrays.copyOf(ends, 2 * size);
      }
      starts[size] = length;
    }

    private void end() {
      ends[size++] = length;
    }

    private void append(char[] source, int from, int count) {
      if (length + 3L * count > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.toIntExact(2L * bytes.length + 3L * count));
      }
      int to = length;
      for (int i = from; i < from + count; i++) {
        char c = source[i];
        if (c < 0x80) {
          bytes[to++] = (byte) c;
        } else if (c < 0x800) {
          bytes[to++] = (byte) (0xc0 | c >> 6);
          bytes[to++] = (byte) (0x80 | c & 0x3f);
        } else if (Character.isSurrogate(c)) {
          byte[] utf8 = new String(source, from, count).getBytes(StandardCharsets.UTF_8);
          System.arraycopy(utf8, 0, bytes, length, utf8.length);
          length += utf8.length;
          return;
        } else {
          bytes[to++] = (byte) (0xe0 | c >> 12);
          bytes[to++] = (byte) (0x80 | c >> 6 & 0x3f);
          bytes[to++] = (byte) (0x80 | c & 0x3f);
        }
      }
      length = to;
    }

    JsonStrings build(boolean isObject) {
      return new JsonStrings(
          new ByteStrings(bytes, Arrays.copyOf(starts, size), Arrays.copyOf(ends, size)),
          isObject ? Arrays.copyOf(numbers, size) : new long[0],
          isObject,
          other);
    }
  }
}
