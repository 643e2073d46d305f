package org.llamaj.tokenizer.split;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The character classes of the split expressions, for every code point, from the JDK's own Unicode
 * tables. White space is the Unicode property {@code White_Space} (what {@code \s} means in Rust
 * expressions), which no method of {@link Character} tells.
 *
 * <p>The methods that take bytes expect valid UTF-8 and the index of a first byte.
 */
public final class CodePoints {
  /** {@code \p{L}}. */
  static final int LETTER = 1;

  /** {@code \p{N}}. */
  static final int NUMBER = 2;

  /** {@code \s}. */
  static final int SPACE = 4;

  /** {@code [\r\n]}. */
  static final int NEWLINE = 8;

  /** {@code [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]}: what the front of a cased word is made of. */
  static final int FRONT = 16;

  /** {@code [\p{Ll}\p{Lm}\p{Lo}\p{M}]}: what the rest of a cased word is made of. */
  static final int REST = 32;

  /** What Python's {@code str.isspace} is true for: white space and U+001C to U+001F. */
  static final int PYTHON_SPACE = 64;

  private static final int BLOCK = 256;

  /** Of the characters that take one or two bytes. */
  private static final byte[] CLASSES = new byte[0x800];

  static {
    for (int c = 0; c < CLASSES.length; c++) {
      CLASSES[c] = (byte) classify(c);
    }
  }

  /** Of the others, made when a text has one: there are a million. */
  private static final class Others {
    /** For each block of 256 code points where its classes start; equal blocks are shared. */
    private static final char[] BLOCK_STARTS = new char[(Character.MAX_CODE_POINT + 1) / BLOCK];

    private static final byte[] CLASSES;

    static {
      byte[] classes = new byte[BLOCK * BLOCK_STARTS.length];
      Map<String, Integer> known = new HashMap<>();
      int used = 0;
      for (int b = 0; b < BLOCK_STARTS.length; b++) {
        for (int i = 0; i < BLOCK; i++) {
          classes[used + i] = (byte) classify(b * BLOCK + i);
        }
        @SuppressWarnings("deprecation") // one char for each byte, as a map key
        String key = new String(classes, 0, used, BLOCK);
        Integer same = known.putIfAbsent(key, used);
        if (same == null) {
          BLOCK_STARTS[b] = (char) (used / BLOCK);
          used += BLOCK;
        } else {
          BLOCK_STARTS[b] = (char) (same / BLOCK);
        }
      }
      CLASSES = Arrays.copyOf(classes, used);
    }

    static int classesOf(int codePoint) {
      return CLASSES[BLOCK_STARTS[codePoint >>> 8] << 8 | codePoint & 0xff];
    }
  }

  private CodePoints() {}

  /** Whether Python's {@code str.isspace} is true for a character. */
  public static boolean isPythonSpace(int codePoint) {
    return (classesOf(codePoint) & PYTHON_SPACE) != 0;
  }

  /** The classes of a code point. */
  static int classesOf(int codePoint) {
    return codePoint < CLASSES.length ? CLASSES[codePoint] : Others.classesOf(codePoint);
  }

  /** The classes of the character at an index. */
  static int classesAt(byte[] utf8, int index) {
    int b = utf8[index];
    return b >= 0 ? CLASSES[b] : classesOf(codePointAt(utf8, index));
  }

  /** The number of bytes of the character at an index. */
  public static int lengthAt(byte[] utf8, int index) {
    int b = utf8[index];
    return b >= 0 ? 1 : Integer.numberOfLeadingZeros(~(b << 24));
  }

  /** The character at an index. */
  public static int codePointAt(byte[] utf8, int index) {
    int b = utf8[index];
    if (b >= 0) {
      return b;
    }
    int second = utf8[index + 1] & 0x3f;
    if (b < (byte) 0xe0) {
      return (b & 0x1f) << 6 | second;
    }
    int third = utf8[index + 2] & 0x3f;
    if (b < (byte) 0xf0) {
      return (b & 0x0f) << 12 | second << 6 | third;
    }
    return (b & 0x07) << 18 | second << 12 | third << 6 | utf8[index + 3] & 0x3f;
  }

  private static int classify(int c) {
    int classes =
        switch (Character.getType(c)) {
          case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> LETTER | FRONT;
          case Character.LOWERCASE_LETTER -> LETTER | REST;
          case Character.MODIFIER_LETTER, Character.OTHER_LETTER -> LETTER | FRONT | REST;
          case Character.NON_SPACING_MARK,
              Character.ENCLOSING_MARK,
              Character.COMBINING_SPACING_MARK ->
              FRONT | REST;
          case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
              NUMBER;
          case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
              SPACE;
          default -> 0;
        };
    if (c >= '\t' && c <= '\r' || c == 0x85) {
      classes |= SPACE;
    }
    if (c == '\r' || c == '\n') {
      classes |= NEWLINE;
    }
    if ((classes & SPACE) != 0 || c >= 0x1c && c <= 0x1f) {
      classes |= PYTHON_SPACE;
    }
    return classes;
  }
}
