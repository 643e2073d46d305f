package org.llamaj.convert;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.JsonObject;
import org.llamaj.checkpoint.MetadataType;
import org.llamaj.checkpoint.MetadataValue;
import org.llamaj.checkpoint.MetadataValue.Flag;
import org.llamaj.checkpoint.MetadataValue.Sequence;
import org.llamaj.checkpoint.MetadataValue.Text;
import org.llamaj.checkpoint.MetadataValue.Whole;
import org.llamaj.tokenizer.Tokenizer;

/**
 * The vocabulary of a {@code tokenizer.json} with byte-level BPE (Llama 3 and 4) as GGUF's keys:
 * pieces are written in the same alphabet of bytes in both.
 */
final class JsonVocabulary {
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;

  private final JsonObject file;
  private final byte[][] tokens;
  private final int[] types;

  private JsonVocabulary(JsonObject file, int size) {
    this.file = file;
    tokens = new byte[size][];
    types = new int[size];
  }

  /**
   * Reads the vocabulary of a model's directory.
   *
   * @param directory with a {@code tokenizer.json}
   * @param tokenizer read from the same directory
   * @param size rows of the embedding matrix
   * @param preTokenizer GGUF's name of how text is cut
   * @return the keys
   * @throws CheckpointException if the file is missing or of another kind
   */
  static SequencedMap<String, MetadataValue> read(
      Path directory, Tokenizer tokenizer, int size, String preTokenizer) {
    Path path = directory.resolve("tokenizer.json");
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          "%s: expected a tokenizer.json to write the vocabulary from, found none"
              .formatted(directory));
    }
    return new JsonVocabulary(JsonObject.read(path), size).keys(tokenizer, preTokenizer);
  }

  private SequencedMap<String, MetadataValue> keys(Tokenizer tokenizer, String preTokenizer) {
    JsonObject model = file.requireObject("model");
    if (model.boolOr("byte_fallback", false) || !model.string("type").orElse("BPE").equals("BPE")) {
      throw model.wrong("type", "byte-level BPE, as of Llama 3 and 4");
    }
    JsonObject vocabulary = model.requireObject("vocab");
    for (String piece : vocabulary.names()) {
      set(vocabulary.requireInt(piece, 0, tokens.length - 1), piece, NORMAL);
    }
    for (Object added : file.array("added_tokens").orElse(List.of())) {
      addToken(added);
    }
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null) set(id, "[PAD%d]".formatted(id), UNUSED);
    }
    SequencedMap<String, MetadataValue> keys = new LinkedHashMap<>();
    keys.put("tokenizer.ggml.model", Text.of("gpt2"));
    keys.put("tokenizer.ggml.pre", Text.of(preTokenizer));
    keys.put("tokenizer.ggml.tokens", Sequence.ofStrings(tokens));
    keys.put("tokenizer.ggml.token_type", Sequence.ofInts(types));
    keys.put("tokenizer.ggml.merges", Sequence.ofStrings(merges(model)));
    tokenizer.bos().ifPresent(id -> keys.put("tokenizer.ggml.bos_token_id", u32(id)));
    tokenizer.eos().ifPresent(id -> keys.put("tokenizer.ggml.eos_token_id", u32(id)));
    keys.put("tokenizer.ggml.add_bos_token", new Flag(tokenizer.addsBos()));
    for (String name : List.of("<|eot_id|>", "<|eot|>")) {
      tokenizer.special(name).ifPresent(id -> keys.put("tokenizer.ggml.eot_token_id", u32(id)));
    }
    return keys;
  }

  private void addToken(Object added) {
    if (!(added instanceof Map<?, ?> token)
        || !(token.get("id") instanceof Long id)
        || !(token.get("content") instanceof String text)
        || id < 0
        || id >= tokens.length) {
      throw file.wrong("added_tokens", "tokens with content and an id below " + tokens.length);
    }
    boolean special = Boolean.TRUE.equals(token.get("special"));
    set(Math.toIntExact(id), text, special ? CONTROL : USER_DEFINED);
  }

  private void set(int id, String piece, int type) {
    tokens[id] = piece.getBytes(StandardCharsets.UTF_8);
    types[id] = type;
  }

  private static Whole u32(int value) {
    return new Whole(MetadataType.UINT32, value);
  }

  /** Pairs are strings with a space between, or arrays of two. */
  private byte[][] merges(JsonObject model) {
    return model.array("merges").orElse(List.of()).stream()
        .map(
            merge ->
                switch (merge) {
                  case String pair -> pair;
                  case List<?> pair
                      when pair.size() == 2
                          && pair.get(0) instanceof String left
                          && pair.get(1) instanceof String right ->
                      left + " " + right;
                  default -> throw model.wrong("merges", "pairs of pieces");
                })
        .map(pair -> pair.getBytes(StandardCharsets.UTF_8))
        .toArray(byte[][]::new);
  }
}
