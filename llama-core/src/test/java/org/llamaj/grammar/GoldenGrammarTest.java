package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Grammars and schemas against reference data: what they accept, reject and refuse. */
class GoldenGrammarTest {
  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in =
        GoldenGrammarTest.class.getResourceAsStream("/golden/grammar/cases.jsonl")) {
      JsonMapper mapper = new JsonMapper();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines().map(mapper::readTree).toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void acceptsRejectsAndRefusesAsTheReferenceDoes(JsonNode golden) {
    switch (golden.get("kind").asString()) {
      case "gbnf_invalid" ->
          assertThatThrownBy(() -> Grammar.gbnf(golden.get("grammar").asString()))
              .isInstanceOf(GrammarException.class)
              .hasMessageMatching("(?s)line \\d+, column \\d+: .*");
      case "gbnf" -> check(golden, Grammar.gbnf(golden.get("grammar").asString()));
      default -> check(golden, Grammar.jsonSchema(golden.get("schema").toString()));
    }
  }

  private static void check(JsonNode golden, Grammar grammar) {
    for (String list : new String[] {"accept", "optional_accept"}) {
      for (JsonNode text : golden.path(list)) {
        assertThat(grammar.accepts(text.asString())).as("accepts %s", text).isTrue();
        assertThat(grammar.validPrefix(text.asString())).isEqualTo(text.asString().length());
      }
    }
    for (int i = 0; i < golden.get("reject").size(); i++) {
      String text = golden.get("reject").get(i).asString();
      assertThat(grammar.accepts(text)).as("rejects %s", text).isFalse();
      JsonNode prefixes = golden.get("reject_valid_prefix_codepoints");
      if (prefixes != null) {
        int valid = text.codePointCount(0, grammar.validPrefix(text));
        assertThat(valid).as("valid prefix of %s", text).isEqualTo(prefixes.get(i).asInt());
      }
    }
  }
}
