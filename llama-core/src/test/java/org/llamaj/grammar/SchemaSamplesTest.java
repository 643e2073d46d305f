package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Schemas with each keyword that is supported, and texts that an independent validator (jsonschema
 * for Python, with its format checks; durations and host names by patterns of the RFCs) calls valid
 * or not. Invalid ones are valid ones with a character or a few changed.
 */
class SchemaSamplesTest {
  static Stream<JsonNode> samples() throws IOException {
    try (InputStream in = SchemaSamplesTest.class.getResourceAsStream("/schema/samples.jsonl")) {
      JsonMapper mapper = new JsonMapper();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines().map(mapper::readTree).toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void acceptsNothingThatAValidatorRefuses(JsonNode sample) {
    Grammar grammar = Grammar.jsonSchema(sample.get("schema").toString());
    for (JsonNode text : sample.get("accept")) {
      assertThat(grammar.accepts(text.asString())).as("accepts %s", text).isTrue();
    }
    for (JsonNode text : sample.get("reject")) {
      assertThat(grammar.accepts(text.asString())).as("rejects %s", text).isFalse();
    }
  }

  @Test
  void nullableAddsNull() {
    Grammar grammar = Grammar.jsonSchema(Map.of("type", "integer", "nullable", true));
    assertThat(grammar.accepts("null")).isTrue();
    assertThat(grammar.accepts("3")).isTrue();
    assertThat(grammar.accepts("\"3\"")).isFalse();
  }

  /** Each number with few digits is accepted exactly if it is between the limits. */
  @Test
  void decimalsKeepTheirLimits() {
    Random random = new Random(8);
    for (int round = 0; round < 400; round++) {
      BigDecimal min = number(random);
      BigDecimal max = min.add(number(random).abs());
      boolean openMin = random.nextBoolean();
      boolean openMax = random.nextBoolean();
      Expression range = DecimalRange.of(min, max, openMin, openMax);
      Grammar grammar =
          range == null ? null : Grammar.of(new Rules(Map.of("root", range), "root", _ -> ""));
      for (int i = 0; i < 60; i++) {
        BigDecimal value =
            switch (random.nextInt(4)) {
              case 0 -> min;
              case 1 -> max;
              default -> min.add(number(random).movePointLeft(random.nextInt(3)));
            };
        boolean above = openMin ? value.compareTo(min) > 0 : value.compareTo(min) >= 0;
        boolean below = openMax ? value.compareTo(max) < 0 : value.compareTo(max) <= 0;
        assertThat(grammar != null && grammar.accepts(value.toPlainString()))
            .as("%s between %s (%s) and %s (%s)", value, min, openMin, max, openMax)
            .isEqualTo(above && below);
      }
    }
  }

  private static BigDecimal number(Random random) {
    int scale = random.nextInt(4);
    int size = random.nextInt(3) == 0 ? 15 : 3000;
    return BigDecimal.valueOf(random.nextInt(-size, size + 1), scale);
  }
}
