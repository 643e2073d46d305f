package org.llamaj.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.TestModels;
import org.llamaj.sampling.Candidates;
import org.llamaj.schema.Description;
import org.llamaj.schema.JsonForm;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.ToolCallParser;
import org.llamaj.tokenizer.chat.ToolDefinition;

/** Answers of models that may call tools, token by token. */
class ToolCallsTest {
  enum Unit {
    CELSIUS,
    FAHRENHEIT
  }

  record Weather(@Description("it's where") String city, int days, Unit unit) {}

  record Note(List<String> lines, Map<String, Boolean> flags) {}

  private static final Map<String, JsonForm<?>> FORMS =
      Map.of("get_weather", JsonForm.of(Weather.class), "note", JsonForm.of(Note.class));

  private static final List<ToolDefinition> TOOLS =
      List.of(
          new ToolDefinition("get_weather", "", FORMS.get("get_weather").schema()),
          new ToolDefinition("note", "", FORMS.get("note").schema()));

  private static final Tokenizer TOKENIZER = tokenizer();
  private static final TokenMasks MASKS = masks(List.of("brave_search", "code_interpreter"));
  private static final TokenMasks WITHOUT_CODE = masks(List.of("brave_search"));

  private static Tokenizer tokenizer() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).kernels("scalar").load()) {
      return model.tokenizer();
    }
  }

  private static TokenMasks masks(List<String> builtIn) {
    return new GrammarCompiler(TOKENIZER).compile(Grammar.toolCalls(TOOLS, builtIn));
  }

  /** How many tokens of an answer are allowed, and whether it may end after the last. */
  private record Course(int allowed, int tokens, boolean mayEnd) {
    boolean isWhole() {
      return allowed == tokens && mayEnd;
    }
  }

  private static Course course(TokenMasks masks, String answer) {
    TokenConstraint constraint = masks.begin();
    int[] tokens = TOKENIZER.encode(answer, SpecialTokens.all());
    for (int i = 0; i < tokens.length; i++) {
      try {
        constraint.accept(tokens[i], Integer.MAX_VALUE);
      } catch (GrammarException e) {
        return new Course(i, tokens.length, false);
      }
    }
    return new Course(tokens.length, tokens.length, constraint.mayEnd());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Oslo\", \"days\": 3, \"unit\": \"CELSIUS\"}}",
        " {\"type\": \"function\", \"name\": \"get_weather\", \"parameters\": {\"city\":\"Ö\",\"days\":-1,\"unit\":\"CELSIUS\"}}",
        "{\n  \"name\": \"note\",\n  \"arguments\": {\"lines\": [], \"flags\": {\"a\": true}}\n}",
        "[{\"name\": \"note\", \"parameters\": {\"lines\": [\"x\"], \"flags\": {}}}, {\"name\": \"note\", \"parameters\": {\"lines\": [], \"flags\": {}}}]",
        "{\"name\": \"note\", \"parameters\": {\"lines\": [], \"flags\": {}}}; {\"name\": \"note\", \"parameters\": {\"lines\": [], \"flags\": {}}}",
        "<function=note>{\"lines\": [\"a\", \"b\"], \"flags\": {}}</function>",
        "Let me see. <function=note>{\"lines\": [], \"flags\": {}}</function>\n<function=note>{\"lines\": [], \"flags\": {}}</function>",
        "[get_weather(city=\"Oslo\", days=3, unit='CELSIUS')]",
        "[get_weather(city='It\\'s \"Oslo\"', days=3, unit=\"CELSIUS\"), note(lines=['a'], flags={\"x\": True})]",
        "<|python_tag|>brave_search.call(query=\"weather in Oslo\")",
        "brave_search.call(query=\"a \\\"b\\\"\")",
        "<|python_tag|>{\"name\": \"brave_search\", \"parameters\": {\"query\": \"Oslo\"}}",
      })
  void callsAreAllowedInAllTheirForms(String answer) {
    for (TokenMasks masks : List.of(MASKS, WITHOUT_CODE)) {
      assertThat(course(masks, answer)).as(answer).matches(Course::isWhole);
    }
    assertThat(ToolCallParser.parse(answer)).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "It rains in Oslo, 3 < 4.",
        "{\"name\": \"Bob\", \"age\": 3}",
        "{\"name\": \"get_weather2\", \"parameters\": 7}",
        "[1, 2, 3]",
        "[note]",
        "[get_weather",
        "{\"type\": \"cube\"}",
        "<function=other>{</function> <func",
        "The <function=note2> tag",
        "Then <|python_tag|>print(1) # [note(",
        "<|python_tag|>[x for x in y]",
      })
  void anythingElseIsText(String answer) {
    assertThat(course(MASKS, answer)).as(answer).matches(Course::isWhole);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"name\": \"get_weather\", \"parameters\": {\"city\": 1",
        "{\"name\": \"get_weather\", \"parameters\": {\"town\": ",
        "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Oslo\", \"days\": \"3",
        "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Oslo\", \"days\": 3, \"unit\": \"KELVIN",
        "{\"name\": \"get_weather\", \"days\"",
        "{\"name\": \"note\", \"parameters\": {\"lines\": [], \"flags\": {}}} and more",
        "[get_weather(town",
        "[get_weather(city=\"Oslo\", days=\"3",
        "[note(lines=[true",
        "Hm. <function=note>{]",
        "<function=note>{\"lines\": [], \"flags\": {}}</function> and",
        "<|python_tag|>[get_weather(days",
        "brave_search.call(q=",
      })
  void aCallThatHasBegunCannotGoWrong(String answer) {
    Course course = course(MASKS, answer);
    assertThat(course.allowed()).as(answer).isLessThan(course.tokens());
  }

  @Test
  void nothingButCallsFollowsThePythonTagWithoutAnInterpreter() {
    Course course = course(WITHOUT_CODE, "<|python_tag|>print(1)");
    assertThat(course.allowed()).isEqualTo(1);
  }

  @Test
  void whateverTheModelSaysAfterABeginningIsACallThatCanBeRun() {
    Random random = new Random(11);
    List<String> beginnings =
        List.of(
            "{\"name\": \"note\"",
            "{\"type\": \"function\", \"name\": \"get_weather\"",
            "[{\"name\": \"note\"",
            "[note(",
            "[get_weather(",
            "<function=get_weather>",
            "Well, <function=note>",
            "<|python_tag|>[note(");
    for (String beginning : beginnings) {
      for (int round = 0; round < 25; round++) {
        String answer = randomAnswer(beginning, random);
        List<Content.ToolCall> calls = ToolCallParser.parse(answer);
        assertThat(calls).as(answer).isNotEmpty();
        for (Content.ToolCall call : calls) {
          if (FORMS.containsKey(call.name())) {
            FORMS.get(call.name()).readValue(call.arguments());
          }
        }
      }
    }
  }

  /** Goes on with tokens by chance, and then to the end on a short way. */
  private static String randomAnswer(String beginning, Random random) {
    TokenConstraint constraint = MASKS.begin();
    List<Integer> tokens = new ArrayList<>();
    for (int token : TOKENIZER.encode(beginning, SpecialTokens.all())) {
      constraint.accept(token, Integer.MAX_VALUE);
      tokens.add(token);
    }
    Candidates candidates = new Candidates(TOKENIZER.vocabularySize());
    for (int i = 0; i < 30 && !constraint.isDone(); i++) {
      candidates.reset(new float[TOKENIZER.vocabularySize()]);
      constraint.narrow(candidates);
      int token = candidates.draw(random.nextDouble());
      if (!TOKENIZER.isEndOfGeneration(token)) {
        constraint.accept(token, Integer.MAX_VALUE);
        tokens.add(token);
      }
    }
    int left = constraint.enoughTokens();
    constraint.limit(left);
    while (!constraint.mayEnd()) {
      candidates.reset(new float[TOKENIZER.vocabularySize()]);
      constraint.narrowToFit(candidates, left);
      int token = candidates.draw(random.nextDouble());
      constraint.accept(token, --left);
      tokens.add(token);
    }
    return TOKENIZER.decode(tokens.stream().mapToInt(Integer::intValue).toArray());
  }

  @Test
  void wordsThatPythonKeepsForItselfAreNoArguments() {
    Map<String, Object> schema =
        Map.of("type", "object", "properties", Map.of("from", Map.of("type", "string")));
    TokenMasks masks =
        new GrammarCompiler(TOKENIZER)
            .compile(Grammar.toolCalls(List.of(new ToolDefinition("go", "", schema)), List.of()));
    assertThat(course(masks, "[go(anything")).matches(Course::isWhole);
    assertThat(course(masks, "{\"name\": \"go\", \"parameters\": {\"from\": \"here\"}}"))
        .matches(Course::isWhole);
  }

  @Test
  void manyToolsStayAffordable() {
    List<ToolDefinition> tools =
        IntStream.range(0, 40)
            .mapToObj(i -> new ToolDefinition("tool_" + i, "", FORMS.get("note").schema()))
            .collect(Collectors.toList());
    TokenMasks masks =
        new GrammarCompiler(TOKENIZER).compile(Grammar.toolCalls(tools, List.of("brave_search")));
    assertThat(course(masks, "[tool_39(lines=[], flags={})]")).matches(Course::isWhole);
    assertThatThrownBy(() -> Grammar.toolCalls(List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
