package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "a|b*",
        "(ab)+c?",
        "[a-c]{2,3}",
        "^a.b$",
        "(a|b)*abb",
        "a*?b",
        "\\d+-\\w*",
        "[^ab]",
        "(?:a{0,2}){2}",
        "a{100}",
        "\\s\\S",
        "[\\d_-]+",
        "",
        "a||b",
        "\\.\\*",
        "[]a]+",
        "x{2,}"
      })
  void regularExpressionsAcceptWhatJavasAccept(String pattern) {
    Grammar grammar = Grammar.regex(pattern);
    Pattern java = Pattern.compile(pattern);
    Random random = new Random(3);
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(7); n > 0; n--) {
        text.append("ab cx-_19.*]\n".charAt(random.nextInt(13)));
      }
      assertThat(grammar.accepts(text.toString()))
          .as("'%s'", text)
          .isEqualTo(java.matcher(text).matches());
    }
    assertThat(grammar.accepts("a".repeat(100))).isEqualTo(java.matcher("a".repeat(100)).matches());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "(a; line 1, column 3: expected the end of the group",
        "a); line 1, column 2: expected the end of the expression",
        "[a-; line 1, column 1: expected the end of this character class",
        "a{2; line 1, column 4: expected }",
        "*a; line 1, column 1: expected something to repeat",
        "(?=a); line 1, column 3: expected a plain group",
        "\\bword; line 1, column 1: expected a supported escape, found \\b",
        "a{3,2}; line 1, column 2: expected {least,most}, found {3,2}",
        "(a)\\1; line 1, column 4: expected a supported escape, found \\1"
      })
  void mistakesInRegularExpressionsAreToldWithTheirPlace(String pattern, String message) {
    assertThatThrownBy(() -> Grammar.regex(pattern))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"type\": \"text\"}; #/type: expected object",
        "{\"type\": \"integer\", \"multipleOf\": 2.5}; #/multipleOf: expected a whole number from 1",
        "{\"type\": \"integer\", \"multipleOf\": 2, \"minimum\": 1}; expected multipleOf or limits",
        "{\"type\": \"array\", \"unevaluatedItems\": {}}; #: expected keywords that are supported, found unevaluatedItems",
        "{\"enum\": [1, 2], \"type\": \"string\"}; found none of [1, 2]",
        "{\"type\": \"string\", \"pattern\": \"^a+$\", \"maxLength\": 3}; expected a length, or a pattern",
        "{\"properties\": {\"a\": {}}, \"minProperties\": 1}; expected minProperties and maxProperties without",
        "{\"properties\": {\"a\": {}}, \"patternProperties\": {\"b\": {}}}; expected patternProperties alone",
        "{\"allOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}; with a type in common",
        "{\"properties\": {\"a\": {\"minimun\": 1}}}; #/properties/a: expected keywords",
        "{\"$ref\": \"#/$defs/x\"}; expected something at #/$defs/x",
        "{\"$ref\": \"http://x\"}; within the schema",
        "{\"$ref\": \"#\"}; a way to end",
        "{\"$defs\":{\"a\":{\"properties\":{\"b\":{\"$ref\":\"#/$defs/a\"}},\"required\":[\"b\"]}},\"$ref\":\"#/$defs/a\"}; a way to end",
        "{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}; expected limits with numbers",
        "[]; expected an object or true",
        "{; the schema is Not a JSON text",
        "{\"required\": [\"a\"]}; #/required: expected names of properties, found a",
        "{\"type\": \"string\", \"pattern\": \"(\"}; #/pattern: line 1"
      })
  void mistakesInSchemasAreToldWithTheirPath(String schema, String message) {
    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }

  @Test
  void numbersKeepTheirLimits() {
    Random random = new Random(4);
    for (int round = 0; round < 300; round++) {
      int min = random.nextInt(-1200, 1200);
      int max = min + random.nextInt(0, 1500);
      Grammar whole = Grammar.jsonSchema(Map.of("type", "integer", "minimum", min, "maximum", max));
      Grammar decimal =
          Grammar.jsonSchema(
              Map.of("type", "number", "exclusiveMinimum", min + 0.5, "maximum", max + 1));
      for (int i = 0; i < 50; i++) {
        int value = random.nextInt(min - 20, max + 20);
        assertThat(whole.accepts("" + value)).isEqualTo(min <= value && value <= max);
        double number = value + random.nextInt(1, 9) / 10.0;
        if (decimal.accepts("" + number)) {
          assertThat(number).isGreaterThan(min + 0.5).isLessThanOrEqualTo(max + 1);
        }
        assertThat(decimal.accepts("" + value)).isEqualTo(min + 0.5 < value && value <= max + 1);
      }
    }
  }

  @Test
  void equalGrammarsAreEqual() {
    assertThat(Grammar.regex("a")).isEqualTo(Grammar.regex("a")).isNotEqualTo(Grammar.choice("a"));
    assertThat(Grammar.jsonSchema(Map.of("const", 1)))
        .isNotEqualTo(Grammar.jsonSchema(Map.of("const", "1")));
  }

  @Test
  void hugeRepetitionsAreCounted() {
    Grammar grammar = Grammar.gbnf("root ::= \"a\"{1000,999999999} (\"b\" | \"c\"{0,70000}){900}");
    assertThat(grammar.accepts("a".repeat(999))).isFalse();
    assertThat(grammar.accepts("a".repeat(5000) + "b".repeat(900))).isTrue();
    assertThat(grammar.accepts("a".repeat(5000) + "b".repeat(901))).isFalse();
  }

  @Test
  void ambiguousGrammarsDoNotHang() {
    for (String pattern :
        List.of("(a|a)*b", "(a*)*b", "(a*a*a*)*b", "((a?){30}){30}b", "(a|aa)+$")) {
      Grammar grammar = Grammar.regex(pattern);
      assertThat(grammar.validPrefix("a".repeat(500) + "c")).isEqualTo(500);
    }
    Grammar recursive = Grammar.gbnf("root ::= \"x\" root \"y\" | \"x\" root \"z\" | \"w\"");
    assertThat(recursive.accepts("x".repeat(200) + "w" + "yz".repeat(100))).isTrue();
  }

  @Test
  void aGrammarThatIsReadInTooManyWaysAtOnceIsRefusedAndDoesNotHang() {
    // Each x may stand for two calls that end differently.
    Grammar grammar =
        Grammar.gbnf(
            "root ::= a root \"y\" | b root \"z\" | \"w\"\na ::= \"x\" | \"v\"\nb ::= \"x\" | \"u\"");
    assertThat(grammar.accepts("xxwyz")).isTrue();
    assertThatThrownBy(() -> grammar.accepts("x".repeat(100)))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("few ways at once");
  }

  @Test
  void deepNestingIsRefusedInTheGrammarAndHandledInTheText() {
    assertThatThrownBy(() -> Grammar.gbnf("root ::= " + "(".repeat(10_000)))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("nested at most");
    assertThatThrownBy(() -> Grammar.regex("(".repeat(10_000)))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("nested at most");
    assertThatThrownBy(() -> Grammar.jsonSchema("{\"items\":".repeat(400) + "{}" + "}".repeat(400)))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("nested at most");
    StringBuilder chain = new StringBuilder("root ::= r0\n");
    for (int i = 0; i < 3000; i++) {
      chain.append("r%d ::= \"a\" r%d\n".formatted(i, i + 1));
    }
    Grammar longChain = Grammar.gbnf(chain + "r3000 ::= \"b\"");
    assertThat(longChain.accepts("a".repeat(3000) + "b")).isTrue();
    Grammar nested = Grammar.gbnf("root ::= \"(\" root \")\" | \"x\"");
    assertThat(nested.accepts("(".repeat(20_000) + "x" + ")".repeat(20_000))).isTrue();
    assertThat(Grammar.jsonSchema("{}").accepts("[".repeat(5000) + "]".repeat(5000))).isTrue();
  }

  @Test
  void nestedRepetitionsOfWhatMayBeEmptyAreRefusedWhenTheyGrow() {
    String deep = "(".repeat(100) + "\"a\"?" + " \"b\"? \"c\"?)*".repeat(100);
    assertThatThrownBy(() -> Grammar.gbnf("root ::= " + deep))
        .isInstanceOf(GrammarException.class)
        .hasMessageMatching(".*(too many nested|at most a million nodes).*");
  }

  @Test
  void leftRecursionBehindWhatMayBeEmptyIsRefused() {
    assertThatThrownBy(
            () -> Grammar.gbnf("root ::= x \"a\"\nx ::= \"b\"? y\ny ::= \"\"? x \"c\" | \"d\""))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("left recursion: x -> y -> x")
        .hasMessageContaining("line 2, column 1");
  }

  @Test
  void surrogatesInSchemasOnlyComeInPairs() {
    Grammar grammar = Grammar.jsonSchema("{\"type\": \"string\"}");
    assertThat(grammar.accepts("\"\\ud83d\\ude42\"")).isTrue();
    assertThat(grammar.accepts("\"\\ud83d\"")).isFalse();
    assertThat(grammar.accepts("\"\\ude42\"")).isFalse();
    assertThat(grammar.accepts("\"\\u00e9\"")).isTrue();
  }
}
