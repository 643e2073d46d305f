package org.llamaj.tokenizer.file;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The characters that GPT-2 style files write bytes as: printable Latin-1 characters stand for
 * their own byte, and the others get, in their order, the characters from U+0100 on.
 */
public final class ByteAlphabet {
  private static final int[] BYTE_OF = new int[256 + 68];

  static {
    Arrays.fill(BYTE_OF, -1);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean itself = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
      BYTE_OF[itself ? b : next++] = b;
    }
  }

  private static final String CHARACTERS;

  static {
    char[] characters = new char[256];
    for (char c = 0; c < BYTE_OF.length; c++) {
      if (BYTE_OF[c] >= 0) characters[BYTE_OF[c]] = c;
    }
    CHARACTERS = new String(characters);
  }

  private ByteAlphabet() {}

  /**
   * Translates bytes to the characters that stand for them.
   *
   * @param bytes of a token
   * @return the token as files write it, in UTF-8
   */
  static byte[] encode(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      text.append(CHARACTERS.charAt(b & 0xff));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Translates a token to the bytes it stands for.
   *
   * @param utf8 the token as the file writes it
   * @param from where it starts
   * @param to where it ends
   * @param target where to put the bytes; never more than there were
   * @return the number of bytes, or -1 if the token has a character that stands for no byte
   */
  public static int decode(byte[] utf8, int from, int to, byte[] target) {
    int count = 0;
    for (int i = from; i < to; i++) {
      int c = utf8[i];
      if (c < 0) {
        // All characters of the alphabet have at most two bytes.
        if ((c & 0xe0) != 0xc0 || i + 1 == to || (utf8[i + 1] & 0xc0) != 0x80) {
          return -1;
        }
        c = (c & 0x1f) << 6 | utf8[++i] & 0x3f;
      }
      if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
        return -1;
      }
      target[count++] = (byte) BYTE_OF[c];
    }
    return count;
  }
}
