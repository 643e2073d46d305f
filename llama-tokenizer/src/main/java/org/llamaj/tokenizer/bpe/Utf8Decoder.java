package org.llamaj.tokenizer.bpe;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.llamaj.tokenizer.StreamingDecoder;

/** Collects the bytes of tokens and gives them back as whole characters. */
final class Utf8Decoder implements StreamingDecoder {
  /** Writes the bytes of tokens; knows which tokens leave none. */
  interface TokenBytes {
    /** The number of bytes of a token. */
    int length(int id);

    /** Copies them. */
    void copy(int id, byte[] target, int at);
  }

  private final TokenBytes tokens;
  private final boolean dropsFirstSpace;
  private boolean atStart;
  private byte[] bytes = new byte[64];
  private int length;

  Utf8Decoder(TokenBytes tokens, boolean dropsFirstSpace) {
    this.tokens = tokens;
    this.dropsFirstSpace = dropsFirstSpace;
    this.atStart = dropsFirstSpace;
  }

  @Override
  public String accept(int id) {
    int added = tokens.length(id);
    if (added == 0) {
      return "";
    }
    if (length + added > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + added));
    }
    tokens.copy(id, bytes, length);
    length += added;
    int start = atStart && bytes[0] == ' ' ? 1 : 0;
    atStart = false;
    int whole = length - heldBack();
    String text = text(bytes, start, whole);
    System.arraycopy(bytes, whole, bytes, 0, length - whole);
    length -= whole;
    return text;
  }

  @Override
  public String finish() {
    String rest = text(bytes, 0, length);
    length = 0;
    atStart = dropsFirstSpace;
    return rest;
  }

  /** How many bytes at the end may still become a character. */
  private int heldBack() {
    for (int back = 1; back <= Math.min(3, length); back++) {
      int b = bytes[length - back] & 0xff;
      if (b >= 0xc0) {
        return mayContinue(b, back) ? back : 0;
      }
      if (b < 0x80) {
        return 0;
      }
    }
    return 0;
  }

  private boolean mayContinue(int lead, int present) {
    int needed = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (present >= needed) {
      return false;
    }
    if (present == 1) {
      return true;
    }
    int second = bytes[length - present + 1] & 0xff;
    // Half a surrogate, ED A0 to ED BF, is held back too: Python's decoder, whose pieces ours
    // equal,
    // decides at the third byte.
    return switch (lead) {
      case 0xe0 -> second >= 0xa0;
      case 0xf0 -> second >= 0x90;
      case 0xf4 -> second < 0x90;
      default -> true;
    };
  }

  /**
   * The text of some bytes, with one U+FFFD for each maximal invalid part. Overwrites invalid
   * bytes.
   */
  static String text(byte[] bytes, int from, int to) {
    for (int i = from; i + 1 < to; i++) {
      // The JDK makes one U+FFFD of an encoded surrogate; by the Unicode standard no byte of it can
      // be part of a character, so each is on its own.
      if (bytes[i] == (byte) 0xed && bytes[i + 1] >= (byte) 0xa0 && bytes[i + 1] < (byte) 0xc0) {
        bytes[i] = (byte) 0xff;
        bytes[i + 1] = (byte) 0xff;
      }
    }
    return new String(bytes, from, to - from, StandardCharsets.UTF_8);
  }
}
