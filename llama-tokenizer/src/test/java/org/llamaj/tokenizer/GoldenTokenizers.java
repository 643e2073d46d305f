package org.llamaj.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.llamaj.tokenizer.huggingface.HuggingFaceFile;
import org.llamaj.tokenizer.json.JsonWriter;
import org.llamaj.tokenizer.split.Llama4Splitter;

/**
 * The tokenizers of the reference data, each read once. The two forms of Llama 4 that the data does
 * not have, {@code tokenizer.json} and GGUF metadata, are derived from its tiktoken file.
 */
public final class GoldenTokenizers {
  private static final Map<String, Tokenizer> TOKENIZERS = new ConcurrentHashMap<>();

  private GoldenTokenizers() {}

  /** The tokenizer of a file; skips the test where the reference data is not present. */
  public static Tokenizer get(String vocabulary) {
    if (vocabulary.equals("llama4/tokenizer.json") || vocabulary.equals("llama4/vocab.gguf")) {
      Path file = Golden.file("tokenizer/llama4/tokenizer.model");
      return TOKENIZERS.computeIfAbsent(
          vocabulary,
          name -> {
            Derived derived = new Derived(file);
            return name.endsWith("json")
                ? HuggingFaceFile.read(name, derived.json())
                : Tokenizer.of(derived.metadata());
          });
    }
    Path file = Golden.file("tokenizer/" + vocabulary);
    return TOKENIZERS.computeIfAbsent(vocabulary, name -> load(file));
  }

  private static Tokenizer load(Path file) {
    return file.toString().endsWith(".gguf")
        ? Tokenizer.of(GgufFile.read(file))
        : Tokenizer.load(file);
  }

  /** The vocabulary of Llama 4 in the byte alphabet, with merge rules as converters make them. */
  private static final class Derived {
    private static final int BASE = 200_000;

    private final List<String> tokens = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final List<String> special = new ArrayList<>();
    private final char[] alphabet = new char[256];

    Derived(Path file) {
      int next = 256;
      for (int b = 0; b < 256; b++) {
        boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
        alphabet[b] = (char) (printable ? b : next++);
      }
      try {
        for (String line : Files.readAllLines(file)) {
          StringBuilder token = new StringBuilder();
          for (byte b : Base64.getDecoder().decode(line.substring(0, line.indexOf(' ')))) {
            token.append(alphabet[b & 0xff]);
          }
          ranks.put(token.toString(), tokens.size());
          tokens.add(token.toString());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      for (String token : tokens) {
        for (int at = 1; at < token.length(); at++) {
          String left = token.substring(0, at);
          String right = token.substring(at);
          if (ranks.containsKey(left) && ranks.containsKey(right)) {
            merges.add(left + " " + right);
          }
        }
      }
      Golden.json(file.resolveSibling("special_tokens.json"))
          .records("tokens")
          .forEach(token -> special.add(token.string("name")));
    }

    byte[] json() {
      List<Object> added = new ArrayList<>();
      for (String name : special) {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("id", (long) BASE + added.size());
        token.put("content", name);
        token.put("special", true);
        added.add(token);
      }
      Map<String, Object> split =
          Map.of(
              "type",
              "Split",
              "pattern",
              Map.of("Regex", Llama4Splitter.PATTERN),
              "behavior",
              "Isolated",
              "invert",
              false);
      Map<String, Object> bytes =
          Map.of("type", "ByteLevel", "add_prefix_space", false, "use_regex", false);
      Map<String, Object> steps =
          Map.of("type", "Sequence", "pretokenizers", List.of(split, bytes));
      Map<String, Object> model =
          Map.of("type", "BPE", "vocab", ranks, "merges", merges, "ignore_merges", true);
      Map<String, Object> template =
          Map.of(
              "type",
              "TemplateProcessing",
              "single",
              List.of(
                  Map.of("SpecialToken", Map.of("id", "<|begin_of_text|>")),
                  Map.of("Sequence", Map.of("id", "A"))));
      Map<String, Object> file =
          Map.of(
              "added_tokens",
              added,
              "pre_tokenizer",
              steps,
              "post_processor",
              template,
              "model",
              model);
      return JsonWriter.ASCII.write(file).getBytes(StandardCharsets.UTF_8);
    }

    GgufFile metadata() {
      byte[][] all = new byte[BASE + special.size()][];
      int[] types = new int[all.length];
      for (int id = 0; id < all.length; id++) {
        String token = id < BASE ? tokens.get(id) : special.get(id - BASE);
        all[id] = token.getBytes(StandardCharsets.UTF_8);
        types[id] = id < BASE ? 1 : 3;
      }
      byte[][] rules =
          merges.stream().map(rule -> rule.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
      Map<String, Object> values = new HashMap<>();
      values.put("tokenizer.ggml.model", "gpt2".getBytes(StandardCharsets.UTF_8));
      values.put("tokenizer.ggml.pre", "llama4".getBytes(StandardCharsets.UTF_8));
      values.put("tokenizer.ggml.tokens", all);
      values.put("tokenizer.ggml.token_type", types);
      values.put("tokenizer.ggml.merges", rules);
      values.put("tokenizer.ggml.bos_token_id", 200_000L);
      values.put("tokenizer.ggml.eos_token_id", 200_001L);
      return GgufFile.of(values);
    }
  }
}
