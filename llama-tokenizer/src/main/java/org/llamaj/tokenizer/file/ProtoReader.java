package org.llamaj.tokenizer.file;

import java.util.Arrays;
import org.llamaj.tokenizer.TokenizerException;

/** Reads the fields of a protocol buffer message from a part of an array. */
final class ProtoReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final String file;
  private final byte[] data;
  private final int end;
  private int at;
  private int wireType;

  ProtoReader(String file, byte[] data, int from, int to) {
    this.file = file;
    this.data = data;
    this.at = from;
    this.end = to;
  }

  /** The number of the next field, or 0 at the end of the message. */
  int nextField() {
    if (at == end) {
      return 0;
    }
    long tag = varint();
    wireType = (int) tag & 7;
    if (tag >>> 3 == 0 || tag >>> 3 > Integer.MAX_VALUE) {
      throw damaged("expected a field number, found " + (tag >>> 3));
    }
    return (int) (tag >>> 3);
  }

  /** The value of an integer, boolean or enumeration field. */
  int integer() {
    expect(VARINT);
    return (int) varint();
  }

  /** The value of a boolean field. */
  boolean bool() {
    return integer() != 0;
  }

  /** The value of a float field. */
  float float32() {
    expect(FIXED32);
    int bits = 0;
    int from = skip(4);
    for (int i = 3; i >= 0; i--) {
      bits = bits << 8 | data[from + i] & 0xff;
    }
    return Float.intBitsToFloat(bits);
  }

  /** The value of a string or bytes field. */
  byte[] bytes() {
    expect(BYTES);
    int length = length();
    int from = skip(length);
    return Arrays.copyOfRange(data, from, from + length);
  }

  /** A reader of a field that is a message itself. */
  ProtoReader message() {
    expect(BYTES);
    int length = length();
    int from = skip(length);
    return new ProtoReader(file, data, from, from + length);
  }

  /** Skips the value of a field that nobody asks for. */
  void skipValue() {
    switch (wireType) {
      case VARINT -> varint();
      case FIXED64 -> skip(8);
      case BYTES -> skip(length());
      case FIXED32 -> skip(4);
      default -> throw damaged("expected a wire type of 0, 1, 2 or 5, found " + wireType);
    }
  }

  private int length() {
    long length = varint();
    if (length < 0 || length > end - at) {
      throw damaged("a field claims %d bytes, %d are left".formatted(length, end - at));
    }
    return (int) length;
  }

  private int skip(int count) {
    if (count > end - at) {
      throw damaged("it ends inside a field");
    }
    int from = at;
    at += count;
    return from;
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = data[skip(1)];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw damaged("an integer has more than ten bytes");
  }

  private void expect(int expected) {
    if (wireType != expected) {
      throw damaged("expected wire type %d, found %d".formatted(expected, wireType));
    }
  }

  private TokenizerException damaged(String what) {
    return new TokenizerException(
        "%s: no SentencePiece model, or a damaged one: at byte %d %s".formatted(file, at, what));
  }
}
