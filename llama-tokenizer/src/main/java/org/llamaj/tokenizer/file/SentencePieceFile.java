package org.llamaj.tokenizer.file;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.VocabularyTable;
import org.llamaj.tokenizer.bpe.SequenceTokens;
import org.llamaj.tokenizer.bpe.TokenType;

/**
 * A SentencePiece {@code tokenizer.model}: a protocol buffer whose fields are those of {@code
 * sentencepiece_model.proto}.
 */
final class SentencePieceFile {
  private static final int BPE = 2;

  private record Piece(byte[] text, float score, TokenType type) {}

  private final String file;
  private final List<Piece> pieces = new ArrayList<>();
  private int modelType = 1;
  private int unknownId;
  private int bosId = 1;
  private int eosId = 2;
  private boolean suffixSpace;
  private boolean spaceFirst = true;
  private boolean removesExtraSpaces = true;
  private boolean escapesSpaces = true;
  private boolean normalizes;

  private SentencePieceFile(String file) {
    this.file = file;
  }

  /** Builds the tokenizer of a file. */
  static Tokenizer read(String file, byte[] data) {
    return parse(file, data).build();
  }

  /** The pieces of a file. */
  static VocabularyTable table(String file, byte[] data) {
    SentencePieceFile model = parse(file, data);
    model.build(); // refuses what is not supported
    int size = model.pieces.size();
    byte[][] tokens = new byte[size][];
    int[] types = new int[size];
    float[] scores = new float[size];
    for (int id = 0; id < size; id++) {
      Piece piece = model.pieces.get(id);
      tokens[id] = piece.text();
      types[id] = piece.type().ordinal() + 1;
      scores[id] = piece.score();
    }
    return new VocabularyTable("llama", tokens, types, scores, new byte[0][]);
  }

  private static SentencePieceFile parse(String file, byte[] data) {
    SentencePieceFile model = new SentencePieceFile(file);
    ProtoReader reader = new ProtoReader(file, data, 0, data.length);
    for (int field = reader.nextField(); field != 0; field = reader.nextField()) {
      switch (field) {
        case 1 -> model.piece(reader.message());
        case 2 -> model.trainer(reader.message());
        case 3 -> model.normalizer(reader.message());
        default -> reader.skipValue();
      }
    }
    return model;
  }

  private void piece(ProtoReader reader) {
    byte[] text = {};
    float score = 0;
    int type = 1;
    for (int field = reader.nextField(); field != 0; field = reader.nextField()) {
      switch (field) {
        case 1 -> text = reader.bytes();
        case 2 -> score = reader.float32();
        case 3 -> type = reader.integer();
        default -> reader.skipValue();
      }
    }
    TokenType tokenType = TokenType.ofNumber(type);
    if (tokenType == null) {
      throw new TokenizerException(
          "%s: piece %d: expected a type from 1 to 6, found %d"
              .formatted(file, pieces.size(), type));
    }
    pieces.add(new Piece(text, score, tokenType));
  }

  private void trainer(ProtoReader reader) {
    for (int field = reader.nextField(); field != 0; field = reader.nextField()) {
      switch (field) {
        case 3 -> modelType = reader.integer();
        case 24 -> suffixSpace = reader.bool();
        case 40 -> unknownId = reader.integer();
        case 41 -> bosId = reader.integer();
        case 42 -> eosId = reader.integer();
        default -> reader.skipValue();
      }
    }
  }

  private void normalizer(ProtoReader reader) {
    for (int field = reader.nextField(); field != 0; field = reader.nextField()) {
      switch (field) {
        case 2 -> normalizes = reader.bytes().length > 0;
        case 3 -> spaceFirst = reader.bool();
        case 4 -> removesExtraSpaces = reader.bool();
        case 5 -> escapesSpaces = reader.bool();
        default -> reader.skipValue();
      }
    }
  }

  private Tokenizer build() {
    if (pieces.isEmpty()) {
      throw new TokenizerException(file + ": no SentencePiece model: it has no pieces");
    }
    refuse(modelType != BPE, "a model of type %d; only BPE (2) is".formatted(modelType));
    refuse(suffixSpace, "treat_whitespace_as_suffix");
    refuse(normalizes, "a normalizer with rules (precompiled_charsmap)");
    refuse(removesExtraSpaces, "remove_extra_whitespaces");
    refuse(!escapesSpaces, "escape_whitespaces = false");
    SentencePieceBuilder builder = new SentencePieceBuilder(pieces.size());
    for (Piece piece : pieces) {
      builder.add(piece.text(), piece.score(), piece.type());
    }
    OptionalInt bos = id("bos_id", bosId);
    OptionalInt eos = id("eos_id", eosId);
    return builder.build(
        spaceFirst,
        id("unk_id", unknownId),
        ends -> {
          eos.ifPresent(ends::add);
          return new SequenceTokens(bos, eos, bos.isPresent(), false, ends.ids());
        });
  }

  private void refuse(boolean refused, String what) {
    if (refused) {
      throw new TokenizerException("%s: not supported: %s".formatted(file, what));
    }
  }

  private OptionalInt id(String name, int id) {
    if (id < 0) {
      return OptionalInt.empty();
    }
    if (id >= pieces.size()) {
      throw new TokenizerException(
          "%s: %s: expected an id below %d, found %d".formatted(file, name, pieces.size(), id));
    }
    return OptionalInt.of(id);
  }
}
