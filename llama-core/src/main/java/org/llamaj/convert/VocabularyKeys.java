package org.llamaj.convert;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
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
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.VocabularyTable;

/** The vocabulary of a model's directory under GGUF's keys. */
final class VocabularyKeys {
  private static final int UNKNOWN = 2;
  private static final int UNUSED = 5;

  private VocabularyKeys() {}

  /**
   * Reads the vocabulary.
   *
   * @param directory with a {@code tokenizer.json} or {@code tokenizer.model}; the latter may lie
   *     in the directory above
   * @param tokenizer read from the same directory
   * @param size rows of the embedding matrix
   * @param architecture of the model
   * @return the keys
   * @throws CheckpointException if there is none, or it is of a kind that is not supported
   */
  static SequencedMap<String, MetadataValue> read(
      Path directory, Tokenizer tokenizer, int size, String architecture) {
    VocabularyTable table = table(directory, size);
    SequencedMap<String, MetadataValue> keys = new LinkedHashMap<>();
    keys.put("tokenizer.ggml.model", Text.of(table.model()));
    boolean sentencePiece = table.model().equals("llama");
    String pre = sentencePiece ? "default" : architecture.equals("llama4") ? "llama4" : "llama-bpe";
    keys.put("tokenizer.ggml.pre", Text.of(pre));
    keys.put("tokenizer.ggml.tokens", Sequence.ofStrings(table.tokens()));
    keys.put("tokenizer.ggml.token_type", Sequence.ofInts(table.types()));
    if (sentencePiece) {
      keys.put("tokenizer.ggml.scores", Sequence.ofFloats(table.scores()));
      int[] some = tokenizer.encode("a");
      boolean spaceFirst = some.length > 0 && tokenizer.text(some[0]).startsWith(" ");
      keys.put("tokenizer.ggml.add_space_prefix", new Flag(spaceFirst));
    } else {
      keys.put("tokenizer.ggml.merges", Sequence.ofStrings(table.merges()));
    }
    tokenizer.bos().ifPresent(id -> keys.put("tokenizer.ggml.bos_token_id", u32(id)));
    tokenizer.eos().ifPresent(id -> keys.put("tokenizer.ggml.eos_token_id", u32(id)));
    for (int id = 0; sentencePiece && id < size; id++) {
      if (table.types()[id] == UNKNOWN) keys.put("tokenizer.ggml.unknown_token_id", u32(id));
    }
    keys.put("tokenizer.ggml.add_bos_token", new Flag(tokenizer.addsBos()));
    keys.put("tokenizer.ggml.add_eos_token", new Flag(tokenizer.addsEos()));
    for (String name : List.of("<|eot_id|>", "<|eot|>")) {
      tokenizer.special(name).ifPresent(id -> keys.put("tokenizer.ggml.eot_token_id", u32(id)));
    }
    return keys;
  }

  private static Whole u32(int value) {
    return new Whole(MetadataType.UINT32, value);
  }

  private static VocabularyTable table(Path directory, int size) {
    Path json = directory.resolve("tokenizer.json");
    Path above = directory.resolveSibling("tokenizer.model"); // Llama 1 has one for all sizes
    Optional<Path> model =
        List.of(directory.resolve("tokenizer.model"), above).stream()
            .filter(Files::isRegularFile)
            .findFirst();
    try {
      if (Files.isRegularFile(json)) {
        Optional<VocabularyTable> beside =
            model.filter(file -> file.getParent().equals(directory)).map(VocabularyTable::read);
        return JsonVocabulary.read(JsonObject.read(json), beside, size);
      }
      return filled(
          VocabularyTable.read(
              model.orElseThrow(
                  () ->
                      new CheckpointException(
                          "%s: expected tokenizer.json or tokenizer.model to write the vocabulary from, found neither"
                              .formatted(directory)))),
          size);
    } catch (TokenizerException e) {
      throw new CheckpointException(e.getMessage(), e);
    }
  }

  /** With as many tokens as the model has embeddings. */
  private static VocabularyTable filled(VocabularyTable table, int size) {
    int from = table.tokens().length;
    if (from > size) {
      throw new CheckpointException(
          "expected a vocabulary of at most %d tokens, the rows of the embedding, found %d"
              .formatted(size, from));
    }
    byte[][] tokens = Arrays.copyOf(table.tokens(), size);
    int[] types = Arrays.copyOf(table.types(), size);
    for (int id = from; id < size; id++) {
      tokens[id] = "[PAD%d]".formatted(id).getBytes(StandardCharsets.UTF_8);
      types[id] = UNUSED;
    }
    float[] scores = table.scores();
    return new VocabularyTable(
        table.model(),
        tokens,
        types,
        scores.length == 0 ? scores : Arrays.copyOf(scores, size),
        table.merges());
  }
}
