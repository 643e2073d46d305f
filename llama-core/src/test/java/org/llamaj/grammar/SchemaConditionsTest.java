package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Conditions, exclusive alternatives, items that are there or not twice: whatever a grammar lets be
 * written is valid for a plain validator, and small values that are valid can be written.
 */
class SchemaConditionsTest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();
  private static final List<Object> POOL = Arrays.asList(1, 2, "x", "y", true, null);
  private static final List<String> NAMES = List.of("a", "b", "c");

  private final Random random = new Random(5);

  static Stream<JsonNode> samples() throws IOException {
    try (InputStream in =
        SchemaConditionsTest.class.getResourceAsStream("/schema/conditions.jsonl")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines().map(MAPPER::readTree).toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void acceptsAndRefusesAsAValidatorDoes(JsonNode sample) {
    String schema = sample.get("schema").toString();
    Grammar grammar = Grammar.jsonSchema(schema);
    PlainValidator validator = new PlainValidator(MAPPER.readValue(schema, Map.class));
    for (JsonNode text : sample.get("accept")) {
      assertThat(isValid(validator, text.asString())).as("valid: %s", text).isTrue();
      assertThat(grammar.accepts(text.asString())).as("accepts %s", text).isTrue();
    }
    for (JsonNode text : sample.get("reject")) {
      assertThat(isValid(validator, text.asString())).as("valid: %s", text).isFalse();
      assertThat(grammar.accepts(text.asString())).as("rejects %s", text).isFalse();
    }
    assertEverythingWrittenIsValid(grammar, validator, schema);
  }

  private static boolean isValid(PlainValidator validator, String text) {
    return validator.isValid(MAPPER.readValue(text, Object.class));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{\"type\": \"array\", \"uniqueItems\": true}; expected items of listed values",
        "{\"type\": \"array\", \"contains\": {\"pattern\": \"a\"}, \"maxContains\": 2}; whose opposite can be",
        "{\"type\": \"array\", \"contains\": {}, \"minContains\": 200}; expected at most 300 states",
        "{\"not\": {\"pattern\": \"a\"}}; #/not: expected keywords whose opposite can be written",
        "{\"not\": {}}; #: expected",
        "{\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"string\", \"pattern\": \"a\"}]}; write anyOf if they may",
        "{\"oneOf\": [{\"properties\": {\"a\": {}}}, {\"properties\": {\"b\": {}}}]}; 0 and 1 may hold together",
        "{\"if\": {\"format\": \"date\"}, \"then\": false}; #/if: expected keywords"
      })
  void whatCannotBeWrittenIsRefusedByName(String schema, String message) {
    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }

  /** The property that tells OpenAPI's alternatives apart takes their names. */
  @Test
  void discriminatorsTellAlternativesApart() {
    Grammar grammar =
        Grammar.jsonSchema(
            """
            {"$defs": {
              "Cat": {"properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}}},
              "Dog": {"properties": {"kind": {"type": "string"}, "bark": {"type": "boolean"}}}},
             "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
             "discriminator": {"propertyName": "kind", "mapping": {"hound": "#/$defs/Dog"}}}""");
    assertThat(grammar.accepts("{\"kind\":\"Cat\",\"lives\":9}")).isTrue();
    assertThat(grammar.accepts("{\"kind\":\"hound\",\"bark\":true}")).isTrue();
    assertThat(grammar.accepts("{\"kind\":\"Cat\",\"bark\":true}")).isFalse();
    assertThat(grammar.accepts("{\"kind\":\"Dog\"}")).isFalse();
  }

  @Test
  void keywordArgumentsOfPythonKeepConditions() {
    Map<String, Object> number = Map.of("type", "integer");
    Map<String, Object> properties = new LinkedHashMap<>();
    NAMES.forEach(name -> properties.put(name, number));
    Map<String, Expression> rules = new LinkedHashMap<>();
    Expression arguments =
        SchemaCompiler.keywords(
            Map.of(
                "properties",
                properties,
                "oneOf",
                List.of(Map.of("required", List.of("a")), Map.of("required", List.of("b")))),
            "",
            rules);
    rules.put("call", arguments);
    Grammar grammar = Grammar.of(new Rules(rules, "call", _ -> ""));
    assertThat(List.of("a=1", "b=1", "a=1, c=2", "b=1,c=2")).allMatch(grammar::accepts);
    assertThat(List.of("", "c=2", "a=1, b=1", "a=1, b=1, c=1")).noneMatch(grammar::accepts);
  }

  @Test
  void whatMayBeNothingInBothIsNotExclusive() {
    Map<String, Object> text = Map.of("type", "string", "nullable", true);
    Map<String, Object> number = Map.of("type", "integer", "nullable", true);
    assertThatThrownBy(() -> Grammar.jsonSchema(Map.of("oneOf", List.of(text, number))))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("may hold together");
  }

  @Test
  void randomObjectsAreExact() {
    int compiled = 0;
    for (int round = 0; round < 600; round++) {
      Map<String, Object> schema = randomObject();
      Grammar grammar = compile(schema);
      if (grammar == null) {
        continue;
      }
      compiled++;
      PlainValidator validator = new PlainValidator(schema);
      for (int i = 0; i < 60; i++) {
        Map<String, Object> value = new LinkedHashMap<>();
        for (String name : NAMES) {
          if (random.nextBoolean()) {
            value.put(name, any(POOL));
          }
        }
        String text = JsonText.write(value);
        assertThat(grammar.accepts(text))
            .as("%s by %s", text, JsonText.write(schema))
            .isEqualTo(validator.isValid(value));
      }
      assertEverythingWrittenIsValid(grammar, validator, JsonText.write(schema));
    }
    assertThat(compiled).isGreaterThan(300);
  }

  @Test
  void randomArraysAreExact() {
    int compiled = 0;
    for (int round = 0; round < 300; round++) {
      Map<String, Object> schema = new LinkedHashMap<>();
      schema.put("type", "array");
      schema.put("items", Map.of("enum", POOL.subList(0, 2 + random.nextInt(4))));
      schema.put(any(List.of("minItems", "minLength")), random.nextInt(4));
      schema.put(any(List.of("maxItems", "maxLength")), random.nextInt(5));
      if (random.nextBoolean()) {
        schema.put("contains", leaf());
        schema.put(any(List.of("minContains", "minLength")), random.nextInt(4));
        schema.put(any(List.of("maxContains", "maxLength")), random.nextInt(4));
      } else {
        schema.put("uniqueItems", true);
      }
      Grammar grammar = compile(schema);
      if (grammar == null) {
        continue;
      }
      compiled++;
      PlainValidator validator = new PlainValidator(schema);
      for (int i = 0; i < 60; i++) {
        List<Object> value = new ArrayList<>();
        for (int n = random.nextInt(5); n > 0; n--) {
          value.add(any(POOL));
        }
        String text = JsonText.write(value);
        assertThat(grammar.accepts(text))
            .as("%s by %s", text, JsonText.write(schema))
            .isEqualTo(validator.isValid(value));
      }
      assertEverythingWrittenIsValid(grammar, validator, JsonText.write(schema));
    }
    assertThat(compiled).isGreaterThan(150);
  }

  /** Null if it is refused, or no value fulfils it. */
  private static Grammar compile(Map<String, Object> schema) {
    try {
      return Grammar.jsonSchema(JsonText.write(schema));
    } catch (GrammarException e) {
      assertThat(e).hasMessageStartingWith("#");
      return null;
    }
  }

  private Map<String, Object> randomObject() {
    Map<String, Object> properties = new LinkedHashMap<>();
    NAMES.forEach(name -> properties.put(name, property()));
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    schema.put("properties", properties);
    if (random.nextBoolean()) {
      schema.put("required", List.of(any(NAMES)));
    }
    for (int i = random.nextInt(1, 3); i > 0; i--) {
      switch (random.nextInt(7)) {
        case 0 -> {
          schema.put("if", condition(2));
          schema.put("then", condition(1));
          schema.put("else", condition(1));
        }
        case 1 -> schema.put("not", condition(2));
        case 2 -> schema.put("dependentRequired", Map.of(any(NAMES), List.of(any(NAMES))));
        case 3 -> schema.put("dependentSchemas", Map.of(any(NAMES), condition(1)));
        case 4 -> schema.put("oneOf", List.of(condition(1), condition(1)));
        case 5 -> schema.put("anyOf", List.of(condition(2), condition(2)));
        default -> schema.put("allOf", List.of(condition(2), condition(2)));
      }
    }
    return schema;
  }

  private Map<String, Object> property() {
    return switch (random.nextInt(5)) {
      case 0 -> Map.of("type", "integer", "minimum", 1);
      case 1 -> Map.of("type", "string");
      case 2 -> Map.of("enum", POOL.subList(random.nextInt(3), 4 + random.nextInt(3)));
      case 3 -> Map.of("type", List.of("boolean", "null"));
      default -> Map.of("type", List.of("number", "string"));
    };
  }

  private Map<String, Object> condition(int depth) {
    return switch (random.nextInt(depth == 0 ? 3 : 6)) {
      case 0 -> Map.of("required", List.of(any(NAMES)));
      case 1 -> Map.of("properties", Map.of(any(NAMES), leaf()));
      case 2 -> {
        String name = any(NAMES);
        yield Map.of("properties", Map.of(name, leaf()), "required", List.of(name));
      }
      case 3 -> Map.of("not", condition(depth - 1));
      case 4 -> Map.of("anyOf", List.of(condition(depth - 1), condition(depth - 1)));
      default -> Map.of("if", condition(depth - 1), "then", condition(depth - 1));
    };
  }

  private Object leaf() {
    Map<String, Object> leaf = new LinkedHashMap<>();
    switch (random.nextInt(6)) {
      case 0 -> leaf.put("const", any(POOL));
      case 1 -> leaf.put("enum", POOL.subList(random.nextInt(3), 3 + random.nextInt(3)));
      case 2 -> leaf.put("type", any(List.of("string", "number", "boolean", "null")));
      case 3 -> leaf.put("minimum", 2);
      case 4 -> leaf.put("not", Map.of("enum", POOL.subList(0, 1 + random.nextInt(4))));
      default -> {
        return random.nextBoolean();
      }
    }
    return leaf;
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private void assertEverythingWrittenIsValid(
      Grammar grammar, PlainValidator validator, String schema) {
    for (int i = 0; i < 30; i++) {
      String text = randomText(grammar).replaceAll("([eE][+-]?\\d{2})\\d+", "$1"); // not too large
      assertThat(isValid(validator, text)).as("%s by %s", text, schema).isTrue();
    }
  }

  /** Goes on with any character that the grammar allows, and comes to an end after some. */
  private String randomText(Grammar grammar) {
    StateSpace space = new StateSpace(grammar.automaton());
    State state = space.start();
    StringBuilder text = new StringBuilder();
    while (text.length() < 60 && !(state.complete() && random.nextInt(3) == 0)) {
      List<Character> possible = new ArrayList<>();
      for (char c = ' '; c < 127; c++) {
        if (!state.next((byte) c).isDead()) {
          possible.add(c);
        }
      }
      if (possible.isEmpty()) {
        break;
      }
      char next = any(possible);
      text.append(next);
      state = state.next((byte) next);
    }
    byte[] rest = TokenConstraint.shortestText(state, grammar.automaton());
    return text + new String(rest, StandardCharsets.UTF_8);
  }
}
