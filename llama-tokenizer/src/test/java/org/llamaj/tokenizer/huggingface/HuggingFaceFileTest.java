package org.llamaj.tokenizer.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.llamaj.tokenizer.RandomText;
import org.llamaj.tokenizer.SpecialText;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.TinyTokenizers;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;
import org.llamaj.tokenizer.json.Json;
import org.llamaj.tokenizer.json.JsonWriter;

/** Pipelines put together from their parts, and what is refused. */
class HuggingFaceFileTest {
  private static final String BYTE_LEVEL =
      """
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": %s}""";

  @Test
  void theSentencePiecePipelineIsThatOfTheOtherFiles() {
    Tokenizer tokenizer = HuggingFaceFile.read("x", sentencePiece());
    RandomText texts = new RandomText(21);
    for (int i = 0; i < 5_000; i++) {
      String text = texts.next();
      for (SpecialTokens allowed : List.of(SpecialTokens.none(), SpecialTokens.all())) {
        assertThat(tokenizer.encode(text, allowed))
            .as(text)
            .isEqualTo(TinyTokenizers.LLAMA_2.encode(text, allowed));
      }
    }
    int[] ids = tokenizer.encodePrompt("the Mond", SpecialTokens.none());
    assertThat(ids[0]).isEqualTo(1);
    assertThat(tokenizer.decode(ids, SpecialText.SKIP)).isEqualTo("the Mond");
    assertThat(tokenizer.isEndOfGeneration(2)).isTrue();
  }

  @Test
  void splitsAreThoseOfTheExpression() {
    Tokenizer tokenizer = words("[]", "ByteLevel", BYTE_LEVEL.formatted(true));
    assertThat(pieces(tokenizer, "ab ab12  ab's"))
        .containsExactly("ab", " ab", "1", "2", " ", " ab", "'", "s");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Removed            | ab,ab",
        "Isolated           | ab,-,-,ab",
        "MergedWithPrevious | ab,-,-,ab",
        "MergedWithNext     | ab,-,-,ab",
        "Contiguous         | ab,--,ab"
      })
  void delimitersBecomeWhatTheBehaviorSays(String behavior, String expected) {
    String split =
        """
        {"type": "Split", "pattern": {"String": "-"}, "behavior": "%s", "invert": false}"""
            .formatted(behavior);
    Tokenizer tokenizer = words("[\"- -\"]", split, BYTE_LEVEL.formatted(false));
    assertThat(pieces(tokenizer, "ab--ab")).containsExactly(expected.split(","));
  }

  @Test
  void delimitersAreMergedWithTheirNeighbours() {
    SplitBehavior.Span[] spans = {
      new SplitBehavior.Span(0, 1, false),
      new SplitBehavior.Span(1, 2, true),
      new SplitBehavior.Span(2, 3, true),
      new SplitBehavior.Span(3, 4, false)
    };
    assertThat(SplitBehavior.MERGED_WITH_PREVIOUS.pieces("a--b", List.of(spans)))
        .containsExactly("a-", "-", "b");
    assertThat(SplitBehavior.MERGED_WITH_NEXT.pieces("a--b", List.of(spans)))
        .containsExactly("a", "-", "-b");
    assertThat(SplitBehavior.CONTIGUOUS.pieces("a--b", List.of(spans)))
        .containsExactly("a", "--", "b");
    assertThat(SplitBehavior.REMOVED.pieces("a--b", List.of(spans))).containsExactly("a", "b");
  }

  @Test
  void textIsNormalisedFirst() {
    String file =
        file(
            """
            {"type": "Sequence", "normalizers": [
              {"type": "NFC"}, {"type": "Lowercase"},
              {"type": "Replace", "pattern": {"Regex": "[0-9]+"}, "content": "ab"},
              {"type": "Strip", "strip_left": true, "strip_right": true}]}""",
            "[]",
            BYTE_LEVEL.formatted(false));
    Tokenizer tokenizer = read(file);
    assertThat(pieces(tokenizer, " AB77 ")).containsExactly("ab", "ab");
    assertThatThrownBy(() -> tokenizer.encodeWithOffsets("ab", SpecialTokens.none()))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("changes the text");
  }

  @Test
  void addedTokensHaveTheirProperties() {
    String file =
        file("null", "[]", BYTE_LEVEL.formatted(false))
            .replace(
                "\"added_tokens\": []",
                """
                "added_tokens": [
                  {"id": 300, "content": "<x>", "special": true, "lstrip": true, "rstrip": true},
                  {"id": 301, "content": "foo", "special": false, "single_word": true}]""");
    Tokenizer tokenizer = read(file);
    assertThat(tokenizer.vocabularySize()).isEqualTo(302);
    assertThat(tokenizer.encode("a  <x> \n b", SpecialTokens.all()))
        .containsExactly(id(tokenizer, "a"), 300, id(tokenizer, "b"));
    assertThat(tokenizer.encode("<x>")).doesNotContain(300);
    assertThat(tokenizer.encode("a foo,")).contains(301);
    assertThat(tokenizer.encode("food foo_ xfoo")).doesNotContain(301);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "`\"normalizer\": null` | `\"normalizer\": {\"type\": \"Precompiled\"}` | normalizer Precompiled",
        "`\"normalizer\": null` | `\"normalizer\": {\"type\": \"BertNormalizer\"}` | BertNormalizer",
        "`\"normalizer\": null` | `\"normalizer\": 7` | expected an object, found 7",
        "`\"truncation\": null` | `\"truncation\": {}` | truncation is not supported",
        "`\"padding\": null` | `\"padding\": {}` | padding is not supported",
        "`\"type\": \"BPE\"` | `\"type\": \"Unigram\"` | the model Unigram",
        "`\"dropout\": null` | `\"dropout\": 0.1` | dropout is not supported",
        "`\"end_of_word_suffix\": null` | `\"end_of_word_suffix\": \"</w>\"` | end_of_word_suffix",
        "`\"continuing_subword_prefix\": null` | `\"continuing_subword_prefix\": \"##\"` | prefix",
        "`\"type\": \"ByteLevel\"` | `\"type\": \"BertPreTokenizer\"` | BertPreTokenizer",
        "`\"decoder\": null` | `\"decoder\": {\"type\": \"WordPiece\"}` | decoder WordPiece",
        "`\"post_processor\": null` | `\"post_processor\": {\"type\": \"BertProcessing\"}` | Bert",
        "`\"merges\": [` | `\"merges\": [7, ` | rules that are strings",
        "`\"merges\": [` | `\"merges\": [null, ` | rules that are strings",
        "`\"merges\": [` | `\"merges\": [[\"a\"], ` | rules that are strings",
        "`\"merges\": [` | `\"merges\": [{\"a\": 1}, ` | rules that are strings",
        "`\"merges\": [` | `\"merges\": 1, \"x\": [` | merges: expected an array",
        "`\"vocab\": {` | `\"vocab\": [], \"x\": {` | vocab: expected an object",
        "`\"vocab\": {` | `\"vocab\": null, \"x\": {` | vocab: expected an object",
        "`\"vocab\": {` | `\"vocab\": {\"??\": null, ` | expected an integer",
        "`\"vocab\": {` | `\"vocab\": {\"??\": 99999999999999999999, ` | expected an integer",
        "`\"merges\": [` | `\"merges\": [\"a\", ` | model.merges[0]",
        "`\"merges\": [` | `\"merges\": [\"a \u4e2d\", ` | byte alphabet",
        "`\"vocab\": {` | `\"vocab\": {\"??\": 5000000, ` | an id below 4194304",
        "`\"vocab\": {` | `\"vocab\": {\"??\": -1, ` | an integer from 0",
        "`\"vocab\": {` | `\"vocab\": {\"??\": 0, ` | the id 0 is there twice",
        "`\"vocab\": {` | `\"vocab\": {\"??\": \"x\", ` | expected an integer",
        "`\"added_tokens\": []` | `\"added_tokens\": [{\"id\": 300}]` | content: expected a string",
        "`}` | `` | Not a JSON text"
      })
  void whatIsNotSupportedIsRefusedByName(String from, String to, String message) {
    String file = file("null", "[]", BYTE_LEVEL.formatted(false));
    assertThat(file).contains(from);
    String changed =
        to == null || to.isEmpty()
            ? file.substring(0, file.lastIndexOf(from))
            : file.replaceFirst(Pattern.quote(from), Matcher.quoteReplacement(to));
    assertThatThrownBy(() -> read(changed))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(message);
  }

  @Test
  void expressionsThatNeverEndAreStopped() {
    String split =
        """
        {"type": "Split", "pattern": {"Regex": "(a|aa)+\\\\1c"}, "behavior": "Isolated"}""";
    Tokenizer tokenizer = words("[]", split, BYTE_LEVEL.formatted(false));
    assertThatThrownBy(() -> tokenizer.encode("a".repeat(40) + "b"))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("split expression");
  }

  @Test
  void damagedFilesAreRefusedOrRead() {
    byte[] whole = file("null", "[]", BYTE_LEVEL.formatted(true)).getBytes(StandardCharsets.UTF_8);
    Random random = new Random(22);
    for (int i = 0; i < 3_000; i++) {
      byte[] data = i % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
      for (int n = random.nextInt(6); n > 0 && data.length > 0; n--) {
        data[random.nextInt(data.length)] = (byte) (' ' + random.nextInt(95));
      }
      try {
        HuggingFaceFile.read("x", data).encode("ab -");
      } catch (TokenizerException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  private static int id(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text);
    assertThat(ids).hasSize(1);
    return ids[0];
  }

  private static List<String> pieces(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text)).mapToObj(tokenizer::text).toList();
  }

  private static Tokenizer read(String file) {
    return HuggingFaceFile.read("tokenizer.json", file.getBytes(StandardCharsets.UTF_8));
  }

  private static Tokenizer words(String moreMerges, String... steps) {
    List<String> objects = new ArrayList<>();
    for (String step : steps) {
      if (step.startsWith("{")) {
        objects.add(step);
      }
    }
    return read(file("null", moreMerges, String.join(", ", objects)));
  }

  /** A byte-level file that merges "ab", " ab" and what else is given. */
  private static String file(String normalizer, String moreMerges, String steps) {
    Map<String, Object> vocab = new LinkedHashMap<>();
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
      vocab.put(Character.toString(printable ? b : next++), (long) b);
    }
    List<Object> merges = new ArrayList<>(List.of("a b", "\u0120 ab"));
    merges.addAll((List<?>) Json.parse(moreMerges));
    for (Object merge : merges) {
      vocab.put(merge.toString().replace(" ", ""), (long) vocab.size());
    }
    return """
    {"truncation": null, "padding": null, "added_tokens": [], "normalizer": %s,
     "pre_tokenizer": {"type": "Sequence", "pretokenizers": [%s]},
     "post_processor": null, "decoder": null,
     "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false,
       "continuing_subword_prefix": null, "end_of_word_suffix": null,
       "vocab": %s, "merges": %s}}"""
        .formatted(
            normalizer, steps, JsonWriter.ASCII.write(vocab), JsonWriter.ASCII.write(merges));
  }

  /** The small SentencePiece vocabulary as a file of merges, as converters make them. */
  private static byte[] sentencePiece() {
    Map<String, Object> metadata = TinyTokenizers.metadata("tiny-spm-llama2").values();
    byte[][] tokens = (byte[][]) metadata.get("tokenizer.ggml.tokens");
    int[] types = (int[]) metadata.get("tokenizer.ggml.token_type");
    float[] scores = (float[]) metadata.get("tokenizer.ggml.scores");
    Map<String, Object> vocab = new LinkedHashMap<>();
    Map<String, Integer> normal = new HashMap<>();
    List<Object> added = new ArrayList<>();
    for (int id = 0; id < tokens.length; id++) {
      String token = new String(tokens[id], StandardCharsets.UTF_8);
      vocab.put(token, (long) id);
      if (types[id] == 1) {
        normal.put(token, id);
      } else if (types[id] != 6) {
        added.add(Map.of("id", (long) id, "content", token, "special", true));
      }
    }
    List<String> merges = new ArrayList<>();
    normal.keySet().stream()
        .sorted((a, b) -> Float.compare(scores[normal.get(b)], scores[normal.get(a)]))
        .forEach(
            token -> {
              for (int at = 1; at < token.length(); at++) {
                String left = token.substring(0, at);
                String right = token.substring(at);
                if (normal.containsKey(left) && normal.containsKey(right)) {
                  merges.add(left + " " + right);
                }
              }
            });
    return """
    {"added_tokens": %s,
     "normalizer": {"type": "Sequence", "normalizers": [
       {"type": "Prepend", "prepend": "\u2581"},
       {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
     "pre_tokenizer": null,
     "post_processor": {"type": "TemplateProcessing", "single": [
       {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]},
     "decoder": {"type": "Sequence", "decoders": [
       {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
       {"type": "ByteFallback"}, {"type": "Fuse"},
       {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
     "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
       "vocab": %s, "merges": %s}}"""
        .formatted(
            JsonWriter.ASCII.write(added),
            JsonWriter.ASCII.write(vocab),
            JsonWriter.ASCII.write(merges))
        .getBytes(StandardCharsets.UTF_8);
  }
}
