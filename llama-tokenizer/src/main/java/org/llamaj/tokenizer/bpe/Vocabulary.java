package org.llamaj.tokenizer.bpe;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.llamaj.tokenizer.TokenizerException;

/** The tokens: for each id the bytes it stands for, and what it is for. Immutable. */
public final class Vocabulary {
  private final byte[] bytes;
  private final int[] starts;
  private final TokenType[] types;

  private Vocabulary(byte[] bytes, int[] starts, TokenType[] types) {
    this.bytes = bytes;
    this.starts = starts;
    this.types = types;
  }

  /** The number of tokens. */
  public int size() {
    return types.length;
  }

  /** What a token is for. */
  public TokenType type(int id) {
    return types[id];
  }

  /** The number of bytes of a token. */
  public int length(int id) {
    return starts[id + 1] - starts[id];
  }

  /** A new array of the bytes of a token. */
  public byte[] bytes(int id) {
    return Arrays.copyOfRange(bytes, starts[id], starts[id + 1]);
  }

  /** One byte of a token. */
  byte byteAt(int id, int index) {
    return bytes[starts[id] + index];
  }

  /** The bytes of a token as text. */
  public String text(int id) {
    return new String(bytes, starts[id], length(id), StandardCharsets.UTF_8);
  }

  /** Copies the bytes of a token to an array. */
  public void copy(int id, byte[] target, int at) {
    System.arraycopy(bytes, starts[id], target, at, length(id));
  }

  /** A table to find tokens of some types by their bytes; of equal tokens it finds the first. */
  public ByteStringTable table(Set<TokenType> included) {
    ByteStringTable table = new ByteStringTable(bytes, starts);
    EnumSet<TokenType> wanted = EnumSet.copyOf(included);
    for (int id = 0; id < types.length; id++) {
      if (length(id) > 0 && wanted.contains(types[id])) {
        table.add(id);
      }
    }
    return table;
  }

  /** Collects the tokens in the order of their ids. */
  public static final class Builder {
    private byte[] bytes;
    private final int[] starts;
    private final TokenType[] types;
    private int size;

    /** Starts a vocabulary of so many tokens. */
    public Builder(int tokens) {
      bytes = new byte[Math.max(64, 8 * tokens)];
      starts = new int[tokens + 1];
      types = new TokenType[tokens];
    }

    /** Adds the token with the next id. */
    public void add(byte[] token, int length, TokenType type) {
      add(token, 0, length, type);
    }

    /** Adds the token with the next id: some bytes of an array. */
    public void add(byte[] source, int from, int to, TokenType type) {
      int length = to - from;
      int end = Math.addExact(starts[size], length);
      if (end > bytes.length - ByteStringTable.PADDING) {
        bytes = Arrays.copyOf(bytes, Math.addExact(Math.max(end, end / 2 * 3), 64));
      }
      System.arraycopy(source, from, bytes, starts[size], length);
      types[size++] = type;
      starts[size] = end;
    }

    /** Adds the token with the next id. */
    public void add(String token, TokenType type) {
      byte[] utf8 = token.getBytes(StandardCharsets.UTF_8);
      add(utf8, utf8.length, type);
    }

    /** The vocabulary. */
    public Vocabulary build() {
      if (size != types.length) {
        throw new TokenizerException("Expected %d tokens, found %d".formatted(types.length, size));
      }
      return new Vocabulary(
          Arrays.copyOf(bytes, starts[size] + ByteStringTable.PADDING), starts, types);
    }
  }
}
