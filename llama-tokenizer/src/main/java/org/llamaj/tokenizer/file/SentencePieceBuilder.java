package org.llamaj.tokenizer.file;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.bpe.AddedToken;
import org.llamaj.tokenizer.bpe.AddedTokens;
import org.llamaj.tokenizer.bpe.BytePairTokenizer;
import org.llamaj.tokenizer.bpe.CharacterEncoder;
import org.llamaj.tokenizer.bpe.SequenceTokens;
import org.llamaj.tokenizer.bpe.SpacePrefix;
import org.llamaj.tokenizer.bpe.TokenType;
import org.llamaj.tokenizer.bpe.Vocabulary;

/** Builds a SentencePiece BPE tokenizer from its pieces, wherever they come from. */
final class SentencePieceBuilder {
  private final Vocabulary.Builder vocabulary;
  private final float[] scores;
  private final int[] byteIds = new int[256];
  private final List<AddedToken> added = new ArrayList<>();
  private final EndTokens ends = new EndTokens();
  private int size;
  private int unknown = -1;

  SentencePieceBuilder(int pieces) {
    vocabulary = new Vocabulary.Builder(pieces);
    scores = new float[pieces];
    Arrays.fill(byteIds, -1);
  }

  /** Adds the piece with the next id; in it U+2581 stands for a space. */
  void add(byte[] piece, float score, TokenType type) {
    int id = size++;
    if (Float.isNaN(score)) {
      throw new TokenizerException("The score of token %d is not a number".formatted(id));
    }
    scores[id] = score;
    switch (type) {
      case BYTE -> {
        int value = SpacedPieces.byteValue(GgufTokenizers.text(piece));
        if (value < 0) {
          throw new TokenizerException(
              "Token %d is a byte: expected <0x00> to <0xFF>, found '%s'"
                  .formatted(id, GgufTokenizers.abbreviate(GgufTokenizers.text(piece))));
        }
        if (byteIds[value] < 0) {
          byteIds[value] = id;
        }
        vocabulary.add(new byte[] {(byte) value}, 1, type);
      }
      case CONTROL, UNKNOWN, USER_DEFINED -> {
        String text = GgufTokenizers.text(piece);
        added.add(new AddedToken(id, text, type != TokenType.USER_DEFINED));
        ends.addIfNamed(id, text);
        if (type == TokenType.UNKNOWN && unknown < 0) {
          unknown = id;
        }
        vocabulary.add(piece, piece.length, type);
      }
      case NORMAL, UNUSED -> {
        byte[] bytes = withSpaces(piece);
        vocabulary.add(bytes, bytes.length, type);
      }
    }
  }

  /** Builds the tokenizer. */
  Tokenizer build(
      boolean spaceFirst, OptionalInt unknownId, Function<EndTokens, SequenceTokens> sequence) {
    Vocabulary built = vocabulary.build();
    CharacterMerges merges = new CharacterMerges(built);
    merges.addByScore(scores);
    return new BytePairTokenizer(
        built,
        new CharacterEncoder(
            merges.symbols(),
            merges.rules(),
            byteIds,
            unknownId.orElse(unknown),
            spaceFirst ? SpacePrefix.ALWAYS : SpacePrefix.NEVER),
        new AddedTokens(added),
        sequence.apply(ends),
        spaceFirst);
  }

  private static byte[] withSpaces(byte[] piece) {
    byte[] bytes = new byte[piece.length];
    int count = 0;
    for (int i = 0; i < piece.length; i++) {
      if (piece[i] == (byte) 0xe2
          && i + 2 < piece.length
          && piece[i + 1] == (byte) 0x96
          && piece[i + 2] == (byte) 0x81) {
        bytes[count++] = ' ';
        i += 2;
      } else {
        bytes[count++] = piece[i];
      }
    }
    return count == piece.length ? bytes : Arrays.copyOf(bytes, count);
  }
}
