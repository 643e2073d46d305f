package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import org.llamaj.tokenizer.SpecialTokens;
import tools.jackson.databind.json.JsonMapper;

class TokenizeCommandTest {
  private static final String TEXT = "Grüße, \"Welt\"!\n<|eot_id|> 123";

  @TempDir Path folder;

  @Test
  void printsAJsonArrayOfIds() {
    Run run = Run.of("tokenize", TEXT);
    assertThat(run.status()).isZero();
    assertThat(ids(run)).isEqualTo(expected(SpecialTokens.none()));
  }

  @Test
  void recognisesSpecialTokensWhenAsked() {
    assertThat(ids(Run.of("tokenize", "--special", TEXT)))
        .isEqualTo(expected(SpecialTokens.all()))
        .contains(2041);
  }

  @Test
  void readsAFileByteForByte() throws IOException {
    Path file = Files.writeString(folder.resolve("text.txt"), TEXT);
    assertThat(ids(Run.of("tokenize", "--file", file.toString())))
        .isEqualTo(expected(SpecialTokens.none()));
  }

  @Test
  void readsStandardInput() {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(TEXT.getBytes(StandardCharsets.UTF_8)));
    try {
      assertThat(ids(Run.of("tokenize"))).isEqualTo(expected(SpecialTokens.none()));
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void addsWhatTheModelExpectsWhenAsked() {
    assertThat(ids(Run.of("tokenize", "--bos", "a"))).startsWith(2032).hasSize(2);
  }

  @Test
  void readsTheVocabularyOfAFile() throws IOException {
    Path model = folder.resolve("demo.gguf");
    try (InputStream demo = DemoModel.open()) {
      Files.copy(demo, model);
    }
    assertThat(ids(Run.of("tokenize", "--model", model.toString(), TEXT)))
        .isEqualTo(expected(SpecialTokens.none()));
  }

  @Test
  void readsTheTokenizerOfAnotherFormat() throws Exception {
    URL file = TokenizeCommandTest.class.getResource("emberbrook-tokenizer.json");
    assertThat(ids(Run.of("tokenize", "--tokenizer", Path.of(file.toURI()).toString(), TEXT)))
        .isEqualTo(expected(SpecialTokens.none()));
  }

  @Test
  void showsTheTextOfEachToken() {
    Run run = Run.of("tokenize", "--show", "--special", "a\n<|eot_id|>");
    assertThat(run.out())
        .containsSubsequence("\"a\"", "\"\\n\"", "2041  \"<|eot_id|>\"")
        .hasLineCount(3);
  }

  @Test
  void refusesOtherEncodings() throws IOException {
    Path file = Files.write(folder.resolve("latin1.txt"), new byte[] {'a', (byte) 0xE4, 'b'});
    Run run = Run.of("tokenize", "--file", file.toString());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("latin1.txt").contains("UTF-8");
  }

  private static int[] ids(Run run) {
    return JsonMapper.shared().readValue(run.out(), int[].class);
  }

  private static int[] expected(SpecialTokens allowed) {
    try (LlamaModel model = DemoModel.builder().load()) {
      int[] ids = model.tokenizer().encode(TEXT, allowed);
      assertThat(Arrays.stream(ids)).hasSizeGreaterThan(10);
      return ids;
    }
  }
}
