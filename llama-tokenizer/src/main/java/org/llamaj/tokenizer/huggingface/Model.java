package org.llamaj.tokenizer.huggingface;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
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

/** The BPE model of a file: vocabulary, added tokens and merge rules. */
final class Model {
  /** More ids than any vocabulary has; a larger one would only reserve memory. */
  private static final int MOST_IDS = 1 << 22;

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
    String[] tokens = tokens(model.get("vocab"), Math.min(leastSize, MOST_IDS));
    JsonNode unk = model.get("unk_token");
    vocabulary = vocabulary(tokens, unk.isNull() ? "" : unk.string(), fallback(model));
    unknown = unk.isNull() ? -1 : Arrays.asList(tokens).indexOf(unk.string());
    words = vocabulary.table(EnumSet.of(TokenType.NORMAL, TokenType.USER_DEFINED));
    List<?> merges = model.get("merges").list();
    if (bytes) {
      MergeRules read = new MergeRules(words, merges.size());
      for (int rank = 0; rank < merges.size(); rank++) {
        String rule = rule(model.get("merges"), merges.get(rank));
        read.add(model.path() + ".merges", rank, rule.getBytes(StandardCharsets.UTF_8));
      }
      rules = read.table();
      symbols = null;
    } else {
      CharacterMerges read = new CharacterMerges(vocabulary);
      for (int rank = 0; rank < merges.size(); rank++) {
        read.addRule(model.path() + ".merges", rank, rule(model.get("merges"), merges.get(rank)));
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

  /** The tokens by id; null where there is none. */
  private String[] tokens(JsonNode vocab, int leastSize) {
    Map<?, ?> ids = vocab.object();
    int size = leastSize;
    for (Map.Entry<?, ?> entry : ids.entrySet()) {
      size = Math.max(size, 1 + id(new JsonNode(vocab.path(), entry.getValue())));
    }
    for (AddedToken token : added) {
      size = Math.max(size, 1 + token.id());
    }
    String[] tokens = new String[size];
    for (Map.Entry<?, ?> entry : ids.entrySet()) {
      int id = ((Long) entry.getValue()).intValue();
      if (tokens[id] != null) {
        throw vocab.unexpected("each id once; the id %d is there twice".formatted(id));
      }
      tokens[id] = (String) entry.getKey();
    }
    for (AddedToken token : added) {
      tokens[token.id()] = token.text();
    }
    return tokens;
  }

  private Vocabulary vocabulary(String[] tokens, String unknownText, boolean byteFallback) {
    Arrays.fill(byteIds, -1);
    Map<Integer, AddedToken> addedById = new HashMap<>();
    added.forEach(token -> addedById.put(token.id(), token));
    Vocabulary.Builder builder = new Vocabulary.Builder(tokens.length);
    for (int id = 0; id < tokens.length; id++) {
      String token = tokens[id];
      AddedToken asAdded = addedById.get(id);
      if (token == null) {
        builder.add("", TokenType.UNUSED);
      } else if (asAdded != null) {
        TokenType type =
            token.equals(unknownText)
                ? TokenType.UNKNOWN
                : asAdded.special() ? TokenType.CONTROL : TokenType.USER_DEFINED;
        builder.add(token, type);
      } else if (bytes) {
        byte[] utf8 = token.getBytes(StandardCharsets.UTF_8);
        byte[] raw = new byte[utf8.length];
        int length = ByteAlphabet.decode(utf8, 0, utf8.length, raw);
        builder.add(length < 0 ? utf8 : raw, length < 0 ? utf8.length : length, TokenType.NORMAL);
      } else if (byteFallback && SpacedPieces.byteValue(token) >= 0) {
        int value = SpacedPieces.byteValue(token);
        byteIds[value] = id;
        builder.add(new byte[] {(byte) value}, 1, TokenType.BYTE);
      } else {
        builder.add(
            SpacedPieces.unescape(token),
            token.equals(unknownText) ? TokenType.UNKNOWN : TokenType.NORMAL);
      }
    }
    return builder.build();
  }

  /** A rule with its two parts a space apart; newer files write them as an array. */
  private static String rule(JsonNode merges, Object rule) {
    if (rule instanceof String text) {
      return text;
    }
    if (rule instanceof List<?> parts
        && parts.size() == 2
        && parts.getFirst() instanceof String left
        && parts.getLast() instanceof String right) {
      return left + " " + right;
    }
    throw merges.unexpected("rules that are strings or pairs of strings");
  }
}
