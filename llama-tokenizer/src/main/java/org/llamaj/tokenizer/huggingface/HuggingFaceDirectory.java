package org.llamaj.tokenizer.huggingface;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.file.TokenizerFiles;

/** The tokenizer of a model's directory, which is spread over several files. */
public final class HuggingFaceDirectory {
  private HuggingFaceDirectory() {}

  /**
   * Reads it.
   *
   * @param directory of a model
   * @param vocabularySize how many ids the model has
   * @return the tokenizer
   * @throws TokenizerException if there is none, or it is damaged or of an unknown kind
   */
  public static Tokenizer read(Path directory, int vocabularySize) {
    Path file = directory.resolve("tokenizer.json");
    if (Files.isRegularFile(file)) {
      return HuggingFaceFile.read(
          file.toString(), TokenizerFiles.bytes(file), settings(directory, vocabularySize));
    }
    Path model = directory.resolve("tokenizer.model");
    if (Files.isRegularFile(model)) {
      return TokenizerFiles.read(model);
    }
    throw new TokenizerException(
        "%s: expected tokenizer.json or tokenizer.model, found neither".formatted(directory));
  }

  private static SequenceSettings settings(Path directory, int vocabularySize) {
    JsonNode tokenizer = json(directory, "tokenizer_config.json");
    JsonNode special = json(directory, "special_tokens_map.json");
    // Other classes leave it to the template, whatever these say.
    boolean decides =
        tokenizer.get("tokenizer_class").value() instanceof String name
            && name.startsWith("LlamaTokenizer");
    Set<Integer> ends = new HashSet<>();
    JsonNode config = json(directory, "config.json");
    addIds(config.get("eos_token_id"), ends);
    if (!config.get("text_config").isNull()) {
      addIds(config.get("text_config").get("eos_token_id"), ends);
    }
    addIds(json(directory, "generation_config.json").get("eos_token_id"), ends);
    return new SequenceSettings(
        token(tokenizer.get("bos_token")).or(() -> token(special.get("bos_token"))),
        token(tokenizer.get("eos_token")).or(() -> token(special.get("eos_token"))),
        flag(decides, tokenizer.get("add_bos_token")),
        flag(decides, tokenizer.get("add_eos_token")),
        ends,
        vocabularySize);
  }

  private static Optional<Boolean> flag(boolean decides, JsonNode node) {
    return decides && !node.isNull() ? Optional.of(node.bool()) : Optional.empty();
  }

  /** A token is a string, or an object with its text and how it is found. */
  private static Optional<String> token(JsonNode node) {
    if (node.isNull()) {
      return Optional.empty();
    }
    return Optional.of(node.value() instanceof String text ? text : node.get("content").string());
  }

  private static void addIds(JsonNode node, Set<Integer> ids) {
    if (node.value() instanceof List<?>) {
      node.items().forEach(item -> ids.add(item.integer()));
    } else if (!node.isNull()) {
      ids.add(node.integer());
    }
  }

  /** An object; empty if there is no such file. */
  private static JsonNode json(Path directory, String name) {
    Path file = directory.resolve(name);
    return Files.isRegularFile(file)
        ? HuggingFaceFile.parse(file.toString(), TokenizerFiles.bytes(file))
        : new JsonNode(name, Map.of());
  }
}
