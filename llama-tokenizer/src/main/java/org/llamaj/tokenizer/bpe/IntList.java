package org.llamaj.tokenizer.bpe;

import java.util.Arrays;

/** A growing array of ints. */
public final class IntList {
  private int[] values;
  private int size;

  /** Makes an empty list with room for some values. */
  public IntList(int capacity) {
    values = new int[Math.max(16, capacity)];
  }

  /** Adds a value at the end. */
  public void add(int value) {
    if (size == values.length) {
      grow(size + 1);
    }
    values[size++] = value;
  }

  /** Adds the first values of an array at the end. */
  public void addAll(int[] source, int count) {
    if (count > values.length - size) {
      grow(Math.addExact(size, count));
    }
    System.arraycopy(source, 0, values, size, count);
    size += count;
  }

  /** The value at an index. */
  public int get(int index) {
    return values[index];
  }

  /** The number of values. */
  public int size() {
    return size;
  }

  /** A new array of the values from an index on. */
  public int[] toArray(int from) {
    return Arrays.copyOfRange(values, from, size);
  }

  /** A new array of the values. */
  public int[] toArray() {
    return toArray(0);
  }

  private void grow(int needed) {
    values = Arrays.copyOf(values, (int) Math.max(needed, Math.min(values.length * 2L, 1 << 30)));
  }
}
