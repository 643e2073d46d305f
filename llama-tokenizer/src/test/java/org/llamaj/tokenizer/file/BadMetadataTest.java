package org.llamaj.tokenizer.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.tokenizer.GgufFile;
import org.llamaj.tokenizer.TinyTokenizers;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.TokenizerException;

/** GGUF metadata with one fault each. */
class BadMetadataTest {
  private static final String SPM = "tiny-spm-llama2";
  private static final String BPE = "tiny-bpe-llama3";

  static Stream<Arguments> faults() {
    return Stream.of(
        fault(SPM, "tokenizer.ggml.model", null, "tokenizer.ggml.model is missing"),
        fault(SPM, "tokenizer.ggml.model", text("nonsense"), "found nonsense"),
        fault(SPM, "tokenizer.ggml.model", 7L, "tokenizer.ggml.model"),
        fault(SPM, "tokenizer.ggml.tokens", null, "tokenizer.ggml.tokens is missing"),
        fault(SPM, "tokenizer.ggml.tokens", new int[400], "tokenizer.ggml.tokens"),
        fault(SPM, "tokenizer.ggml.tokens", new byte[0][], "tokenizer.ggml.tokens is empty"),
        fault(SPM, "tokenizer.ggml.scores", null, "tokenizer.ggml.scores is missing"),
        fault(SPM, "tokenizer.ggml.scores", new float[12], "expected 400 scores"),
        fault(SPM, "tokenizer.ggml.scores", notANumber(), "is not a number"),
        fault(SPM, "tokenizer.ggml.token_type", new int[12], "expected 400 types"),
        fault(SPM, "tokenizer.ggml.token_type", new int[400], "found 0"),
        fault(SPM, "tokenizer.ggml.token_type", allBytes(), "expected <0x00> to <0xFF>"),
        fault(SPM, "tokenizer.ggml.bos_token_id", 1_000_000L, "bos_token_id"),
        fault(SPM, "tokenizer.ggml.eos_token_id", 4_294_967_295L, "found 4294967295"),
        fault(SPM, "tokenizer.ggml.unknown_token_id", -1L, "unknown_token_id"),
        fault(SPM, "tokenizer.ggml.remove_extra_whitespaces", true, "not supported"),
        fault(SPM, "tokenizer.ggml.precompiled_charsmap", new int[3], "not supported"),
        fault(BPE, "tokenizer.ggml.pre", text("qwen2"), "found qwen2"),
        fault(BPE, "tokenizer.ggml.merges", null, "tokenizer.ggml.merges is missing"),
        fault(BPE, "tokenizer.ggml.merges", merge("he"), "a space between, found 'he'"),
        fault(BPE, "tokenizer.ggml.merges", merge(" e"), "a space between"),
        fault(BPE, "tokenizer.ggml.merges", merge("h "), "a space between"),
        fault(BPE, "tokenizer.ggml.merges", merge(""), "a space between"),
        fault(BPE, "tokenizer.ggml.merges", merge("h z"), "to be tokens, found 'h z'"),
        fault(BPE, "tokenizer.ggml.merges", merge("\u4e2d h"), "byte alphabet"),
        fault(BPE, "tokenizer.ggml.eot_token_id", 512L, "eot_token_id"),
        fault(BPE, "tokenizer.ggml.eom_token_id", 512L, "eom_token_id"));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void areRefusedByName(String vocabulary, String key, Object value, String message) {
    Map<String, Object> values = new HashMap<>(TinyTokenizers.metadata(vocabulary).values());
    if (value == null) {
      values.remove(key);
    } else {
      values.put(key, value);
    }
    assertThatThrownBy(() -> Tokenizer.of(GgufFile.of(values)))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(message);
  }

  @Test
  void tokensOfRandomBytesAreRefusedOrWork() {
    Random random = new Random(11);
    int built = 0;
    for (int i = 0; i < 200; i++) {
      Map<String, Object> values =
          new HashMap<>(TinyTokenizers.metadata(i % 2 == 0 ? SPM : BPE).values());
      byte[][] tokens = ((byte[][]) values.get("tokenizer.ggml.tokens")).clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        byte[] token = new byte[random.nextInt(5)];
        random.nextBytes(token);
        tokens[random.nextInt(tokens.length)] = token;
      }
      values.put("tokenizer.ggml.tokens", tokens);
      try {
        Tokenizer tokenizer = Tokenizer.of(GgufFile.of(values));
        tokenizer.encode("the world \u4e2d");
        built++;
      } catch (TokenizerException e) {
        assertThat(e).hasMessageMatching("(?s).+");
      }
    }
    assertThat(built).isPositive();
  }

  @Test
  void anUnusedPlaceIsNeverTheResultOfEncoding() {
    Map<String, Object> values = new HashMap<>(TinyTokenizers.metadata(SPM).values());
    int[] types = ((int[]) values.get("tokenizer.ggml.token_type")).clone();
    int the = TinyTokenizers.LLAMA_2.encode("the")[0];
    types[the] = 5;
    values.put("tokenizer.ggml.token_type", types);
    assertThat(Tokenizer.of(GgufFile.of(values)).encode("the")).doesNotContain(the);
  }

  private static Arguments fault(String vocabulary, String key, Object value, String message) {
    return Arguments.of(vocabulary, key, value, message);
  }

  private static byte[] text(String value) {
    return value.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[][] merge(String rule) {
    return new byte[][] {text(rule)};
  }

  private static float[] notANumber() {
    float[] scores = new float[400];
    scores[399] = Float.NaN;
    return scores;
  }

  private static int[] allBytes() {
    int[] types = new int[400];
    Arrays.fill(types, 6);
    return types;
  }
}
