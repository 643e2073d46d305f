package org.llamaj.tokenizer.file;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.AddedToken;
import org.llamaj.tokenizer.bpe.AddedTokens;
import org.llamaj.tokenizer.bpe.ByteEncoder;
import org.llamaj.tokenizer.bpe.BytePairTokenizer;
import org.llamaj.tokenizer.bpe.ByteStringTable;
import org.llamaj.tokenizer.bpe.MergeTable;
import org.llamaj.tokenizer.bpe.SequenceTokens;
import org.llamaj.tokenizer.bpe.TokenType;
import org.llamaj.tokenizer.bpe.Vocabulary;
import org.llamaj.tokenizer.split.Llama3Splitter;
import org.llamaj.tokenizer.split.Llama4Splitter;

/**
 * A tiktoken {@code tokenizer.model}: a line for each token with its bytes in base 64 and its rank,
 * which is its id. What the file does not say, split expression and special tokens, follows from
 * the number of tokens: 128,000 of Llama 3, 200,000 of Llama 4.
 */
final class TiktokenFile {
  private static final int LLAMA_3_TOKENS = 128_000;
  private static final int LLAMA_4_TOKENS = 200_000;

  private TiktokenFile() {}

  /** Whether a file begins like a tiktoken file: base 64, a space, a digit. */
  static boolean looksLike(byte[] data) {
    int at = 0;
    while (at < data.length && at < 1024 && isBase64(data[at])) {
      at++;
    }
    return at > 0
        && at + 1 < data.length
        && data[at] == ' '
        && data[at + 1] >= '0'
        && data[at + 1] <= '9';
  }

  /** Builds the tokenizer of a file. */
  static Tokenizer read(String file, byte[] data) {
    int tokens = 0;
    for (int i = 0; i < data.length; i++) {
      if (data[i] == '\n' || i + 1 == data.length) {
        tokens++;
      }
    }
    MetaSpecialTokens special =
        switch (tokens) {
          case LLAMA_3_TOKENS -> MetaSpecialTokens.LLAMA_3;
          case LLAMA_4_TOKENS -> MetaSpecialTokens.LLAMA_4;
          default ->
              throw new TokenizerException(
                  "%s: expected a tiktoken file of Llama 3 (%d tokens) or Llama 4 (%d), found %d"
                      .formatted(file, LLAMA_3_TOKENS, LLAMA_4_TOKENS, tokens));
        };
    List<String> names = special.names();
    Vocabulary.Builder builder = new Vocabulary.Builder(tokens + names.size());
    addTokens(file, data, builder);
    List<AddedToken> added = new ArrayList<>();
    EndTokens ends = new EndTokens();
    for (String name : names) {
      int id = tokens + added.size();
      builder.add(name, TokenType.CONTROL);
      added.add(new AddedToken(id, name, true));
      ends.addIfNamed(id, name);
    }
    Vocabulary vocabulary = builder.build();
    ByteStringTable words = vocabulary.table(EnumSet.of(TokenType.NORMAL));
    ByteEncoder encoder =
        new ByteEncoder(
            words,
            rules(vocabulary, words),
            special == MetaSpecialTokens.LLAMA_3 ? new Llama3Splitter() : new Llama4Splitter(),
            true);
    return new BytePairTokenizer(
        vocabulary,
        encoder,
        new AddedTokens(added),
        new SequenceTokens(
            OptionalInt.of(tokens), OptionalInt.of(tokens + 1), true, false, ends.ids()),
        false);
  }

  private static void addTokens(String file, byte[] data, Vocabulary.Builder builder) {
    Base64.Decoder base64 = Base64.getDecoder();
    int line = 0;
    for (int at = 0; at < data.length; line++) {
      int end = at;
      while (end < data.length && data[end] != '\n') {
        end++;
      }
      int space = at;
      while (space < end && data[space] != ' ') {
        space++;
      }
      byte[] token;
      try {
        token = base64.decode(Arrays.copyOfRange(data, at, space));
      } catch (IllegalArgumentException e) {
        throw new TokenizerException(
            "%s: line %d: not base 64: %s".formatted(file, line + 1, e.getMessage()), e);
      }
      if (token.length == 0 || rank(data, space + 1, end) != line) {
        throw new TokenizerException(
            "%s: line %d: expected the bytes of a token in base 64, a space, and the rank %d"
                .formatted(file, line + 1, line));
      }
      builder.add(token, token.length, TokenType.NORMAL);
      at = end + 1;
    }
  }

  /** A decimal number, or -1. */
  private static int rank(byte[] data, int from, int to) {
    int end = to > from && data[to - 1] == '\r' ? to - 1 : to;
    if (from >= end || end - from > 9) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < end; i++) {
      if (data[i] < '0' || data[i] > '9') {
        return -1;
      }
      value = 10 * value + data[i] - '0';
    }
    return value;
  }

  /**
   * A rule for each way to put a token together from two others. Its rank is the token's id: so
   * tiktoken merges, which knows no rules but asks for the rank of the two parts together.
   */
  private static MergeTable rules(Vocabulary vocabulary, ByteStringTable words) {
    MergeTable rules = new MergeTable(5 * vocabulary.size() / 2);
    byte[] token = new byte[256];
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.type(id) != TokenType.NORMAL) {
        break;
      }
      int length = vocabulary.length(id);
      if (token.length < length + ByteStringTable.PADDING) {
        token = new byte[2 * length + ByteStringTable.PADDING];
      }
      vocabulary.copy(id, token, 0);
      for (int at = 1; at < length; at++) {
        int left = words.find(token, 0, at);
        int right = left < 0 ? -1 : words.find(token, at, length);
        if (right >= 0) {
          rules.add(left, right, id, id);
        }
      }
    }
    return rules;
  }

  private static boolean isBase64(byte b) {
    return b >= 'A' && b <= 'Z'
        || b >= 'a' && b <= 'z'
        || b >= '0' && b <= '9'
        || b == '+'
        || b == '/'
        || b == '=';
  }
}
