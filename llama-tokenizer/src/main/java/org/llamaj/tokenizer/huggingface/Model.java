package org.llamaj.tokenizer.huggingface;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.llamaj.tokenizer.ByteStrings;
import org.llamaj.tokenizer.bpe.AddedToken;
import org.llamaj.tokenizer.bpe.ByteStringTable;
import org.llamaj.tokenizer.bpe.MergeTable;
import org.llamaj.tokenizer.bpe.Symbols;
import org.llamaj.tokenizer.bpe.TokenType;
import org.llamaj.tokenizer.bpe.Vocabulary;
import org.llamaj.tokenizer.file.ByteAlphabet;
import org.llamaj.tokenizer.file.CharacterMerges;
import org.llamaj.tokenizer.file.MergeRules;
import org.llamaj.tokenizer.file.SpacedPieces;
import org.llamaj.tokenizer.json.JsonStrings;

/** The BPE model of a file: vocabulary, added tokens and merge rules. */
final class Model {
  /** More ids than any vocabulary has; a larger one would only reserve memory. */
  private static final int MOST_IDS = 1 << 22;

  private static final int NONE = -1;

  private final boolean bytes;
  private final boolean wholeWordsFirst;
  private final List<AddedToken> added = new ArrayList<>();
  private final Map<String, AddedToken> addedByText = new HashMap<>();
  private final int[] byteIds = new int[256];
  private final int unknown;
  private final Vocabulary vocabulary;
  private final ByteStringTable words;
  private final MergeTable rules;
  private final Symbols symbols;

  private Model(JsonNode model, JsonNode addedTokens, boolean bytes, int leastSize) {
    this.bytes = bytes;
    this.wholeWordsFirst = model.get("ignore_merges").bool(false);
    if (!addedTokens.isNull()) {
      addedTokens.items().forEach(this::addToken);
    }
    JsonNode vocab = model.get("vocab");
    int[] places = places(vocab, Math.min(leastSize, MOST_IDS));
    JsonNode unk = model.get("unk_token");
    String unknownText = unk.isNull() ? "" : unk.string();
    ByteStrings texts = vocab.numbers().texts();
    vocabulary = vocabulary(texts, places, unknownText, fallback(model));
    unknown = unk.isNull() ? -1 : find(unknownText, texts, places);
    words = vocabulary.table(EnumSet.of(TokenType.NORMAL, TokenType.USER_DEFINED));
    JsonNode merges = model.get("merges");
    if (merges.strings().other() != null) {
      throw new JsonNode(merges.path(), merges.strings().other())
          .unexpected("rules that are strings or pairs of strings");
    }
    ByteStrings written = merges.strings().texts();
    if (bytes) {
      MergeRules read = new MergeRules(words, written.size());
      for (int rank = 0; rank < written.size(); rank++) {
        read.add(merges.path(), rank, written.bytes(), written.start(rank), written.end(rank));
      }
      rules = read.table();
      symbols = null;
    } else {
      CharacterMerges read = new CharacterMerges(vocabulary);
      for (int rank = 0; rank < written.size(); rank++) {
        read.addRule(merges.path(), rank, text(written, rank));
      }
      rules = read.rules();
      symbols = read.symbols();
    }
  }

  /** Reads it; as many ids as are missing to {@code leastSize} are unused. */
  static Model read(JsonNode model, JsonNode addedTokens, boolean bytes, int leastSize) {
    // Old files do not say which model they have; only BPE has merges.
    if (!model.get("type").isNull() && !model.type().equals("BPE")
        || model.get("merges").isNull()) {
      throw model.unsupported("the model " + model.get("type").value());
    }
    for (String name : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      JsonNode value = model.get(name);
      if (!value.isNull() && !value.string().isEmpty()) {
        throw value.unsupported(name);
      }
    }
    if (model.get("dropout").value() instanceof Number dropout && dropout.doubleValue() != 0) {
      throw model.get("dropout").unsupported("dropout");
    }
    return new Model(model, addedTokens, bytes, leastSize);
  }

  boolean bytes() {
    return bytes;
  }

  boolean wholeWordsFirst() {
    return wholeWordsFirst;
  }

  List<AddedToken> added() {
    return added;
  }

  Vocabulary vocabulary() {
    return vocabulary;
  }

  ByteStringTable words() {
    return words;
  }

  MergeTable rules() {
    return rules;
  }

  Symbols symbols() {
    return symbols;
  }

  int[] byteIds() {
    return byteIds;
  }

  int unknown() {
    return unknown;
  }

  /** The id of the named token, or, if none is named, of the first of some that exists. */
  OptionalInt special(List<String> named, String... usual) {
    for (String text : named.isEmpty() ? List.of(usual) : named) {
      AddedToken token = addedByText.get(text);
      if (token != null) {
        return OptionalInt.of(token.id());
      }
    }
    return OptionalInt.empty();
  }

  private static boolean fallback(JsonNode model) {
    return model.get("byte_fallback").bool(false);
  }

  private void addToken(JsonNode node) {
    AddedToken token =
        new AddedToken(
            id(node.get("id")),
            node.get("content").string(),
            node.get("special").bool(false),
            node.get("lstrip").bool(false),
            node.get("rstrip").bool(false),
            node.get("single_word").bool(false));
    added.add(token);
    addedByText.putIfAbsent(token.text(), token);
  }

  private static int id(JsonNode node) {
    if (node.integer() >= MOST_IDS) {
      throw node.unexpected("an id below " + MOST_IDS);
    }
    return node.integer();
  }

  /** By id, where in the file its text is; NONE for ids without one there. */
  private int[] places(JsonNode vocab, int leastSize) {
    JsonStrings entries = vocab.numbers();
    if (entries.other() != null) id(new JsonNode(vocab.path(), entries.other()));
    int size = leastSize;
    for (long number : entries.numbers()) {
      if (number < 0 || number >= size) {
        size = 1 + id(new JsonNode(vocab.path(), number));
      }
    }
    for (AddedToken token : added) {
      size = Math.max(size, 1 + token.id());
    }
    int[] places = new int[size];
    Arrays.fill(places, NONE);
    for (int i = 0; i < entries.numbers().length; i++) {
      int id = (int) entries.numbers()[i];
      if (places[id] != NONE) {
        throw vocab.unexpected("each id once; the id %d is there twice".formatted(id));
      }
      places[id] = i;
    }
    return places;
  }

  private int find(String text, ByteStrings texts, int[] places) {
    AddedToken token = addedByText.get(text);
    if (token != null) return token.id();
    for (int id = 0; id < places.length; id++) {
      if (places[id] != NONE && text(texts, places[id]).equals(text)) return id;
    }
    return -1;
  }

  private static String text(ByteStrings texts, int place) {
    int start = texts.start(place);
    return new String(texts.bytes(), start, texts.end(place) - start, StandardCharsets.UTF_8);
  }

  private Vocabulary vocabulary(
      ByteStrings texts, int[] places, String unknownText, boolean byteFallback) {
    Arrays.fill(byteIds, -1);
    AddedToken[] addedById = new AddedToken[places.length];
    added.forEach(token -> addedById[token.id()] = token);
    Vocabulary.Builder builder = new Vocabulary.Builder(places.length);
    byte[] raw = new byte[256];
    for (int id = 0; id < places.length; id++) {
      int place = places[id];
      if (addedById[id] != null) {
        builder.add(addedById[id].text(), type(addedById[id], unknownText));
      } else if (place == NONE) {
        builder.add("", TokenType.UNUSED);
      } else if (bytes) {
        int start = texts.start(place);
        int end = texts.end(place);
        if (raw.length < end - start) raw = new byte[2 * (end - start)];
        int length = ByteAlphabet.decode(texts.bytes(), start, end, raw);
        if (length < 0) {
          builder.add(texts.bytes(), start, end, TokenType.NORMAL);
        } else {
          builder.add(raw, length, TokenType.NORMAL);
        }
      } else {
        addPiece(builder, id, text(texts, place), unknownText, byteFallback);
      }
    }
    return builder.build();
  }

  private static TokenType type(AddedToken token, String unknownText) {
    if (token.text().equals(unknownText)) return TokenType.UNKNOWN;
    return token.special() ? TokenType.CONTROL : TokenType.USER_DEFINED;
  }

  private void addPiece(
      Vocabulary.Builder builder, int id, String piece, String unknownText, boolean byteFallback) {
    int value = byteFallback ? SpacedPieces.byteValue(piece) : -1;
    if (value >= 0) {
      byteIds[value] = id;
      builder.add(new byte[] {(byte) value}, 1, TokenType.BYTE);
    } else {
      builder.add(
          SpacedPieces.unescape(piece),
          piece.equals(unknownText) ? TokenType.UNKNOWN : TokenType.NORMAL);
    }
  }
}
