package org.llamaj.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small vocabularies that are part of the repository, against llama.cpp. */
class TinyVocabularyTest {
  @ParameterizedTest
  @ValueSource(strings = {"tiny-spm-llama2", "tiny-bpe-llama3", "tiny-bpe-llama4"})
  void idsAndTextAreThoseOfTheReference(String name) {
    Tokenizer tokenizer =
        Tokenizer.of(GgufFile.read(Golden.resource("tokenizer/" + name + "/vocab.gguf")));
    Golden.Record golden = Golden.json(Golden.resource("tokenizer/" + name + "/cases.json"));
    assertThat(tokenizer.vocabularySize()).isEqualTo(golden.integer("n_vocab"));
    assertThat(golden.records("cases")).isNotEmpty();
    for (Golden.Record c : golden.records("cases")) {
      SpecialTokens allowed = c.bool("parse_special") ? SpecialTokens.all() : SpecialTokens.none();
      String text = c.string("text");
      int[] ids =
          c.bool("add_special")
              ? tokenizer.encodePrompt(text, allowed)
              : tokenizer.encode(text, allowed);
      assertThat(ids).as("%s", c).isEqualTo(c.ids("ids"));
      byte[] bytes = HexFormat.of().parseHex(c.string("detokenized_utf8_hex"));
      String decoded = tokenizer.decode(ids);
      assertThat(name.equals("tiny-bpe-llama3") ? tidied(decoded) : decoded)
          .as("%s", c)
          .isEqualTo(new String(bytes, StandardCharsets.UTF_8));
    }
  }

  /** For Llama 3 the reference takes spaces before punctuation out of what it decodes. */
  private static String tidied(String text) {
    return text.replace(" ?", "?")
        .replace(" !", "!")
        .replace(" .", ".")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }
}
