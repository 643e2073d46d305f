package org.llamaj.convert;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.tokenizer.VocabularyTable;

/**
 * The vocabulary of a {@code tokenizer.json} as GGUF's tables: of Llama 3 and 4 (byte-level BPE),
 * and of Llama 1 and 2, whose rules stand for the scores of SentencePiece's pieces there.
 */
final class JsonVocabulary {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private final JsonObject file;
  private final byte[][] tokens;
  private final int[] types;

  private JsonVocabulary(JsonObject file, int size) {
    this.file = file;
    tokens = new byte[size][];
    types = new int[size];
  }

  /**
   * Reads a file.
   *
   * @param file a {@code tokenizer.json}
   * @param pieces the {@code tokenizer.model} beside it, whose scores are taken then
   * @param size rows of the embedding matrix
   * @return the tables, of that size
   */
  static VocabularyTable read(JsonObject file, Optional<VocabularyTable> pieces, int size) {
    return new JsonVocabulary(file, size).table(pieces.filter(p -> p.model().equals("llama")));
  }

  private VocabularyTable table(Optional<VocabularyTable> pieces) {
    JsonObject model = file.requireObject("model");
    if (!model.string("type").orElse("BPE").equals("BPE")) throw model.wrong("type", "BPE");
    boolean sentencePiece = model.boolOr("byte_fallback", false);
    String unknown = model.string("unk_token").orElse("<unk>");
    JsonObject vocabulary = model.requireObject("vocab");
    for (String piece : vocabulary.names()) {
      int id = vocabulary.requireInt(piece, 0, tokens.length - 1);
      set(id, piece, sentencePiece ? type(piece, unknown) : NORMAL);
    }
    for (Object added : file.array("added_tokens").orElse(List.of())) {
      addToken(added, sentencePiece ? unknown : "");
    }
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) set(id, "[PAD%d]".formatted(id), UNUSED);
    }
    if (!sentencePiece) {
      byte[][] merges =
          merges(model).stream()
              .map(merge -> (merge[0] + " " + merge[1]).getBytes(StandardCharsets.UTF_8))
              .toArray(byte[][]::new);
      return new VocabularyTable("gpt2", tokens, types, new float[0], merges);
    }
    float[] scores = pieces.map(this::scores).orElseGet(() -> scores(merges(model)));
    return new VocabularyTable("llama", tokens, types, scores, new byte[0][]);
  }

  private static int type(String piece, String unknown) {
    if (piece.equals(unknown)) return UNKNOWN;
    return piece.matches("<0x[0-9A-F]{2}>") ? BYTE : NORMAL;
  }

  private void addToken(Object added, String unknown) {
    if (!(added instanceof Map<?, ?> token)
        || !(token.get("id") instanceof Long id)
        || !(token.get("content") instanceof String text)
        || id < 0
        || id >= tokens.length) {
      throw file.wrong("added_tokens", "tokens with content and an id below " + tokens.length);
    }
    boolean special = Boolean.TRUE.equals(token.get("special"));
    int type = text.equals(unknown) ? UNKNOWN : special ? CONTROL : USER_DEFINED;
    set(Math.toIntExact(id), text, type);
  }

  private void set(int id, String piece, int type) {
    tokens[id] = piece.getBytes(StandardCharsets.UTF_8);
    types[id] = type;
  }

  private float[] scores(VocabularyTable pieces) {
    return Arrays.copyOf(pieces.scores(), tokens.length);
  }

  /** The sooner a rule makes a piece, the higher its score. */
  private float[] scores(List<String[]> merges) {
    Map<String, Integer> ranks = new HashMap<>();
    for (int rank = 0; rank < merges.size(); rank++) {
      ranks.putIfAbsent(merges.get(rank)[0] + merges.get(rank)[1], rank);
    }
    float[] scores = new float[tokens.length];
    for (int id = 0; id < scores.length; id++) {
      if (types[id] != NORMAL) continue;
      String piece = new String(tokens[id], StandardCharsets.UTF_8);
      scores[id] = -ranks.getOrDefault(piece, merges.size() + id);
    }
    return scores;
  }

  /** Pairs are strings with a space between, or arrays of two. */
  private static List<String[]> merges(JsonObject model) {
    return model.array("merges").orElse(List.of()).stream()
        .map(
            merge ->
                switch (merge) {
                  case String pair when pair.indexOf(' ', 1) > 0 ->
                      new String[] {
                        pair.substring(0, pair.indexOf(' ', 1)),
                        pair.substring(pair.indexOf(' ', 1) + 1)
                      };
                  case List<?> pair
                      when pair.size() == 2
                          && pair.get(0) instanceof String left
                          && pair.get(1) instanceof String right ->
                      new String[] {left, right};
                  default -> throw model.wrong("merges", "pairs of pieces");
                })
        .toList();
  }
}
