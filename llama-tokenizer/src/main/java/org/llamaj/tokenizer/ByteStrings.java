package org.llamaj.tokenizer;

import java.util.Arrays;

/**
 * Strings of bytes, hundreds of thousands perhaps, without an object for each: they lie in one
 * array, in order. Nobody changes the arrays.
 *
 * @param bytes holds the strings, and perhaps something else between them
 * @param starts where each string starts
 * @param ends where each string ends
 */
public record ByteStrings(byte[] bytes, int[] starts, int[] ends) {

  /**
   * Puts strings one after another.
   *
   * @param strings any
   * @return a copy of them
   */
  public static ByteStrings of(byte[]... strings) {
    int[] starts = new int[strings.length];
    int[] ends = new int[strings.length];
    int length = 0;
    for (int i = 0; i < strings.length; i++) {
      starts[i] = length;
      length = Math.addExact(length, strings[i].length);
      ends[i] = length;
    }
    byte[] bytes = new byte[length];
    for (int i = 0; i < strings.length; i++) {
      System.arraycopy(strings[i], 0, bytes, starts[i], strings[i].length);
    }
    return new ByteStrings(bytes, starts, ends);
  }

  /** {@return how many there are} */
  public int size() {
    return starts.length;
  }

  /**
   * Where a string starts.
   *
   * @param index of the string
   * @return index of its first byte in {@link #bytes}
   */
  public int start(int index) {
    return starts[index];
  }

  /**
   * Where a string ends.
   *
   * @param index of the string
   * @return index after its last byte in {@link #bytes}
   */
  public int end(int index) {
    return ends[index];
  }

  /**
   * One string.
   *
   * @param index of the string
   * @return a copy
   */
  public byte[] get(int index) {
    return Arrays.copyOfRange(bytes, starts[index], ends[index]);
  }

  /** {@return a copy of each} */
  public byte[][] toArray() {
    byte[][] strings = new byte[size()][];
    Arrays.setAll(strings, this::get);
    return strings;
  }
}
