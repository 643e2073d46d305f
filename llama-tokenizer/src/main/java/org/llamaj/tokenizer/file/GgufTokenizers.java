package org.llamaj.tokenizer.file;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import org.llamaj.tokenizer.ByteStrings;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.TokenizerMetadata;
import org.llamaj.tokenizer.bpe.TokenType;

/** Builds the tokenizer that the {@code tokenizer.ggml} keys of a GGUF file describe. */
public final class GgufTokenizers {
  static final String MODEL = "tokenizer.ggml.model";
  static final String PRE = "tokenizer.ggml.pre";
  static final String TOKENS = "tokenizer.ggml.tokens";
  static final String TYPES = "tokenizer.ggml.token_type";
  static final String SCORES = "tokenizer.ggml.scores";
  static final String MERGES = "tokenizer.ggml.merges";

  private GgufTokenizers() {}

  /**
   * Builds the tokenizer.
   *
   * @param metadata the file's metadata
   * @return the tokenizer
   * @throws TokenizerException if it is incomplete, contradicts itself, or is of an unknown kind
   */
  public static Tokenizer read(TokenizerMetadata metadata) {
    String model =
        metadata
            .string(MODEL)
            .orElseThrow(
                () -> new TokenizerException(MODEL + " is missing: the file has no tokenizer"));
    return switch (model) {
      case "llama" -> GgufSentencePiece.read(metadata);
      case "gpt2" -> GgufByteLevel.read(metadata);
      default ->
          throw new TokenizerException(
              "%s: expected llama (SentencePiece) or gpt2 (byte-level BPE), found %s"
                  .formatted(MODEL, abbreviate(model)));
    };
  }

  static ByteStrings tokens(TokenizerMetadata metadata) {
    ByteStrings tokens =
        metadata
            .strings(TOKENS)
            .orElseThrow(
                () -> new TokenizerException(TOKENS + " is missing: expected all tokens in it"));
    if (tokens.size() == 0) {
      throw new TokenizerException(TOKENS + " is empty: expected all tokens in it");
    }
    return tokens;
  }

  static TokenType[] types(TokenizerMetadata metadata, int tokens) {
    int[] numbers = metadata.integers(TYPES).orElse(null);
    TokenType[] types = new TokenType[tokens];
    if (numbers == null) {
      Arrays.fill(types, TokenType.NORMAL);
      return types;
    }
    if (numbers.length != tokens) {
      throw new TokenizerException(
          "%s: expected %d types, one for each token, found %d"
              .formatted(TYPES, tokens, numbers.length));
    }
    for (int id = 0; id < tokens; id++) {
      types[id] = TokenType.ofNumber(numbers[id]);
      if (types[id] == null) {
        throw new TokenizerException(
            "%s: expected 1 to 6 for token %d, found %d".formatted(TYPES, id, numbers[id]));
      }
    }
    return types;
  }

  static OptionalInt id(TokenizerMetadata metadata, String key, int tokens) {
    var value = metadata.integer(key);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    long id = value.getAsLong();
    if (id < 0 || id >= tokens) {
      throw new TokenizerException(
          "%s: expected an id from 0 to %d, found %d".formatted(key, tokens - 1, id));
    }
    return OptionalInt.of((int) id);
  }

  static String text(byte[] token) {
    return new String(token, StandardCharsets.UTF_8);
  }

  static String abbreviate(String value) {
    return value.length() <= 60 ? value : value.substring(0, 60) + "...";
  }
}
