package org.llamaj.tokenizer.bpe;

import java.util.Arrays;
import org.llamaj.tokenizer.TokenizerException;

/** What one call of an encoder needs: the ids so far, a piece of the text as UTF-8, a merger. */
final class Workspace {
  final IntList ids;
  final Merger merger;

  /** The current piece of text, with {@link ByteStringTable#PADDING} readable bytes after it. */
  byte[] utf8;

  /** The number of bytes of the current piece. */
  int length;

  private final char[] chars;

  Workspace(int textLength, MergeTable rules) {
    ids = new IntList(textLength / 3);
    merger = new Merger(rules);
    chars = new char[Math.min(textLength, 8192) + 1];
    utf8 = new byte[64 + Math.min(textLength, 1 << 20) / 2 * 3];
  }

  /**
   * Appends characters of a text to the current piece.
   *
   * @param text any text
   * @param from where to start
   * @param to where the text ends
   * @param maxCodePoints how many code points to take at most
   * @return the index after the last character taken
   */
  int append(CharSequence text, int from, int to, int maxCodePoints) {
    int at = from;
    int left = maxCodePoints;
    while (at < to && left > 0) {
      int count = Math.min(Math.min(to - at, chars.length - 1), left);
      text.getChars(at, at + count, chars, 0);
      if (Character.isHighSurrogate(chars[count - 1]) && at + count < to) {
        chars[count] = text.charAt(at + count);
        if (Character.isLowSurrogate(chars[count])) {
          count++;
        }
      }
      left -= encode(count, at);
      at += count;
    }
    return at;
  }

  /** Appends one byte to the current piece. */
  void append(byte value) {
    reserve(1);
    utf8[length++] = value;
  }

  /** Drops the first bytes of the current piece. */
  void dropFirst(int count) {
    System.arraycopy(utf8, count, utf8, 0, length - count);
    length -= count;
  }

  /** Writes the first of {@link #chars} as UTF-8 and returns the number of code points. */
  private int encode(int count, int textIndex) {
    reserve(3 * count);
    byte[] out = utf8;
    int n = length;
    int codePoints = count;
    for (int i = 0; i < count; i++) {
      char c = chars[i];
      if (c < 0x80) {
        out[n++] = (byte) c;
      } else if (c < 0x800) {
        out[n++] = (byte) (0xc0 | c >> 6);
        out[n++] = (byte) (0x80 | c & 0x3f);
      } else if (!Character.isSurrogate(c)) {
        out[n++] = (byte) (0xe0 | c >> 12);
        out[n++] = (byte) (0x80 | c >> 6 & 0x3f);
        out[n++] = (byte) (0x80 | c & 0x3f);
      } else {
        if (i + 1 == count || !Character.isSurrogatePair(c, chars[i + 1])) {
          throw new TokenizerException(
              "The text has an unpaired surrogate, U+%04X, at index %d; it is no valid Unicode"
                  .formatted((int) c, textIndex + i));
        }
        int supplementary = Character.toCodePoint(c, chars[++i]);
        out[n++] = (byte) (0xf0 | supplementary >> 18);
        out[n++] = (byte) (0x80 | supplementary >> 12 & 0x3f);
        out[n++] = (byte) (0x80 | supplementary >> 6 & 0x3f);
        out[n++] = (byte) (0x80 | supplementary & 0x3f);
        codePoints--;
      }
    }
    length = n;
    return codePoints;
  }

  private void reserve(int count) {
    int needed = Math.addExact(length, count + ByteStringTable.PADDING);
    if (needed > utf8.length) {
      utf8 = Arrays.copyOf(utf8, (int) Math.max(needed, Math.min(utf8.length * 2L, 1 << 30)));
    }
  }
}
