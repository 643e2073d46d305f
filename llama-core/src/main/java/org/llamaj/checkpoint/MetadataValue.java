package org.llamaj.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.llamaj.tokenizer.ByteStrings;

/** A value of a checkpoint's metadata. Strings and arrays are decoded when they are asked for. */
public sealed interface MetadataValue {
  /** {@return the type in the file} */
  MetadataType type();

  /**
   * A whole number.
   *
   * @param type one of the integer types
   * @param value its value; an unsigned 64-bit number from 2^63 on is negative here
   */
  record Whole(MetadataType type, long value) implements MetadataValue {
    /** {@return whether {@code value} is the number itself} */
    public boolean fitsLong() {
      return type != MetadataType.UINT64 || value >= 0;
    }

    @Override
    public String toString() {
      return fitsLong() ? Long.toString(value) : Long.toUnsignedString(value);
    }
  }

  /**
   * A floating-point number.
   *
   * @param type single or double precision
   * @param value its value
   */
  record Real(MetadataType type, double value) implements MetadataValue {
    @Override
    public String toString() {
      return type == MetadataType.FLOAT32 ? Float.toString((float) value) : Double.toString(value);
    }
  }

  /**
   * A truth value.
   *
   * @param value the value
   */
  record Flag(boolean value) implements MetadataValue {
    @Override
    public MetadataType type() {
      return MetadataType.BOOL;
    }

    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }

  /**
   * A string.
   *
   * @param utf8 its bytes, in the file
   */
  record Text(MemorySegment utf8) implements MetadataValue {
    /**
     * A string that is not in a file (yet).
     *
     * @param value any string
     * @return the same as a metadata value
     */
    public static Text of(String value) {
      return new Text(MemorySegment.ofArray(value.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public MetadataType type() {
      return MetadataType.STRING;
    }

    /**
     * The string; bytes that are not UTF-8 become U+FFFD.
     *
     * @return the decoded string
     * @throws CheckpointException if the checkpoint is closed or the string over 2 GiB long
     */
    public String value() {
      return new String(bytes(), StandardCharsets.UTF_8);
    }

    /**
     * The string's bytes.
     *
     * @return a copy
     * @throws CheckpointException if the checkpoint is closed or the string over 2 GiB long
     */
    public byte[] bytes() {
      return MetadataSequences.bytes(utf8);
    }

    /** {@return the string in quotes, its middle cut out if it is long} */
    @Override
    public String toString() {
      if (utf8.byteSize() <= 200) return '"' + value() + '"';
      Text start = new Text(utf8.asSlice(0, 100));
      Text end = new Text(utf8.asSlice(utf8.byteSize() - 50));
      return '"' + start.value() + " ... " + end.value() + '"';
    }
  }

  /**
   * An array.
   *
   * @param elementType the type of all elements
   * @param size how many there are
   * @param encoded the elements, one after another as in a GGUF file; the caller has checked that
   *     they are well-formed
   */
  record Sequence(MetadataType elementType, long size, MemorySegment encoded)
      implements MetadataValue {
    @Override
    public MetadataType type() {
      return MetadataType.ARRAY;
    }

    /**
     * The encoded elements.
     *
     * @return a copy
     * @throws CheckpointException if the checkpoint is closed or the array over 2 GiB long
     */
    public byte[] bytes() {
      return MetadataSequences.bytes(encoded);
    }

    /**
     * The elements of an array of strings.
     *
     * @return a copy: UTF-8 bytes of each
     * @throws CheckpointException if this is not an array of strings, or the checkpoint is closed
     */
    public ByteStrings strings() {
      return MetadataSequences.strings(this);
    }

    /**
     * The elements of an array of integers.
     *
     * @return a copy
     * @throws CheckpointException if this is not an array of integers, one has over 32 bits, or the
     *     checkpoint is closed
     */
    public int[] ints() {
      return MetadataSequences.ints(this);
    }

    /**
     * The elements of an array of numbers.
     *
     * @return a copy
     * @throws CheckpointException if this is not an array of numbers, or the checkpoint is closed
     */
    public float[] floats() {
      return MetadataSequences.floats(this);
    }

    /**
     * The first elements of any array.
     *
     * @param limit how many at most
     * @return that many, or all
     * @throws CheckpointException if the checkpoint is closed
     */
    public MetadataValue[] first(int limit) {
      return MetadataSequences.first(this, limit);
    }

    /** {@return the first elements, and how many there are} */
    @Override
    public String toString() {
      String shown = Arrays.toString(first(8));
      return size <= 8
          ? shown
          : "%s, ... %d in all]".formatted(shown.substring(0, shown.length() - 1), size);
    }

    /** {@return for messages: array of integers} */
    String noun() {
      return "array of " + elementType.noun() + "s";
    }

    /**
     * An array that is not in a file (yet).
     *
     * @param elements any strings
     * @return the same as a metadata value
     */
    public static Sequence ofStrings(byte[][] elements) {
      return MetadataSequences.ofStrings(elements);
    }

    /**
     * An array that is not in a file (yet).
     *
     * @param elements any integers
     * @return the same as a metadata value, of signed 32-bit integers
     */
    public static Sequence ofInts(int... elements) {
      return MetadataSequences.ofInts(elements);
    }

    /**
     * An array that is not in a file (yet).
     *
     * @param elements any numbers
     * @return the same as a metadata value, in single precision
     */
    public static Sequence ofFloats(float... elements) {
      return MetadataSequences.ofFloats(elements);
    }
  }
}
