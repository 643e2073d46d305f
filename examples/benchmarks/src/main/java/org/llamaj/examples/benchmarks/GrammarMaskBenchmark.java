package org.llamaj.examples.benchmarks;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.llamaj.GenerationOptions;
import org.llamaj.generate.TokenChooser;
import org.llamaj.grammar.Grammar;
import org.llamaj.grammar.GrammarCompiler;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;
import org.llamaj.tokenizer.chat.ToolDefinition;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Choosing the tokens of a text, without a model: logits are random but for the token that the text
 * goes on with. The counter {@code tokens} is the figure to look at; what a grammar costs is the
 * difference of the time per token to {@code unconstrained}.
 *
 * <p>{@code constrained} writes the same text again and again, so that all masks are found; {@code
 * firstText} begins with none, and compiles the grammar too.
 *
 * <p>The vocabulary of Llama 3 comes from a folder of reference data, {@code -jvmArgsAppend
 * -Dgolden.dir=...}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class GrammarMaskBenchmark {
  private static final String SCHEMA =
      """
      {"type": "object",
       "properties": {
         "id": {"type": "integer"},
         "name": {"type": "string"},
         "kind": {"enum": ["person", "company", "place"]},
         "score": {"type": "number"},
         "active": {"type": "boolean"},
         "address": {
           "type": "object",
           "properties": {
             "street": {"type": "string", "maxLength": 60},
             "city": {"type": "string"},
             "country": {"type": ["string", "null"]}},
           "required": ["street", "city", "country"]},
         "orders": {
           "type": "array",
           "items": {
             "type": "object",
             "properties": {
               "item": {"type": "string"},
               "count": {"type": "integer", "minimum": 1, "maximum": 999},
               "price": {"type": "number"}},
             "required": ["item", "count", "price"]}}},
       "required": ["id", "name", "kind", "score", "active", "address", "orders"]}
      """;

  private static final String JSON =
      """
      {"id": 40721, "name": "Åsa Lindqvist-Ferreira", "kind": "person", "score": -12.75e2, \
      "active": true, "address": {"street": "Rue de l'Église 12, \\"Bâtiment\\" C", \
      "city": "東京 / Saint-Étienne", "country": null}, "orders": [\
      {"item": "a hammer with an ash handle", "count": 3, "price": 24.5}, \
      {"item": "nails\\n(galvanised, 80 mm)", "count": 250, "price": 0.07}, \
      {"item": "Überraschung \\u2014 gift wrapped", "count": 1, "price": 1199}]}""";

  private static final String GBNF =
      """
      root      ::= statement+
      statement ::= ws (assign | print | loop)
      assign    ::= "let " name " = " sum ";\\n"
      print     ::= "print(" (string | sum) ");\\n"
      loop      ::= "while " sum (" < " | " > ") sum " {\\n" statement+ ws "}\\n"
      sum       ::= product (" " [+-] " " product)*
      product   ::= value (" " [*/] " " value)*
      value     ::= name | number | "(" sum ")"
      name      ::= [a-z] [a-z0-9_]{0,20}
      number    ::= [0-9]+ ("." [0-9]+)?
      string    ::= "\\"" [^"\\\\\\n]* "\\""
      ws        ::= [ ]*
      """;

  private static final String PROGRAM =
      """
      let total_amount = 100 * (1 + 0.19) - discount;
      print("The whole sum, before anything is taken off: ");
      print(total_amount);
      let i = 0;
      while i < 10 + (n - 1) / 2 {
        let next_value = (i * i + 3) / (4 - x_7);
        while next_value > 0.5 {
          print("très petit → plus petit");
          let next_value = next_value / 2;
        }
        let i = i + 1;
      }
      print("done");
      """;

  private static final String CALL =
      """
      {"name": "get_weather", "parameters": {"city": "Saint-Étienne, near Lyon", "days": 10, \
      "unit": "celsius"}}""";

  private static final String TAG =
      """
      I will look that up. <function=get_weather>{"city": "Saint-Étienne, near Lyon", "days": 10, \
      "unit": "celsius"}</function>""";

  private static final String PYTHON =
      """
      [get_weather(city="Saint-Étienne, near Lyon", days=10, unit="celsius"), \
      get_forecast(city='Paris', days=3)]""";

  private static final String BUILT_IN =
      "<|python_tag|>brave_search.call(query=\"weather in Saint-Étienne, near Lyon, next week\")";

  private static final String CODE =
      """
      <|python_tag|>import math

      values = [12.5, 14.0, 9.75]
      mean = sum(values) / len(values)
      print(f"mean {mean:.2f}, deviation {math.sqrt(sum((v - mean) ** 2 for v in values)):.2f}")
      """;

  private static final String ANSWER =
      """
      In Saint-Étienne it will be mostly sunny for the next ten days, with highs between 18 and 23 \
      degrees and a < 20 % chance of rain. Here is what I found:

      - **Monday**: 21 °C, light wind [source: forecast]
      - **Tuesday**: 23 °C, clear {"confidence": "high"}

      Take a light jacket for the evenings; 東京 stays warmer. Shall I look at trains, too?
      """;

  /** What the text is held to; the last six are answers of a model with five tools. */
  @Param({"schema", "gbnf", "call", "tag", "python", "built-in", "code", "answer"})
  public String grammar;

  private Tokenizer tokenizer;
  private GrammarCompiler compiler;
  private GenerationOptions free;
  private GenerationOptions held;
  private int[] text;
  private float[] random;
  private float[] logits;
  private int grammars;

  /** Counts tokens. */
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Volume {
    /** Tokens that were chosen. */
    public long tokens;
  }

  /** Reads the vocabulary. */
  @Setup
  public void read() {
    Path folder = Path.of(System.getProperty("golden.dir", "../shared/golden"), "tokenizer");
    tokenizer = Tokenizer.load(folder.resolve("llama3/tokenizer.model"));
    text = tokenizer.encode(text(), SpecialTokens.of("<|python_tag|>"));
    compiler = new GrammarCompiler(tokenizer);
    free = GenerationOptions.defaults().withMaxTokens(2000);
    held = free.withGrammar(grammar(0));
    random = new float[tokenizer.vocabularySize()];
    Random source = new Random(7);
    for (int i = 0; i < random.length; i++) {
      random[i] = 3 * (float) source.nextGaussian();
    }
    logits = random.clone();
  }

  /** The same grammar, but one that is new to the compiler for each number. */
  private Grammar grammar(int number) {
    return switch (grammar) {
      case "schema" -> schema(number);
      case "gbnf" -> Grammar.gbnf(GBNF + "# " + number);
      default -> tools(number);
    };
  }

  private String text() {
    return switch (grammar) {
      case "schema" -> JSON;
      case "gbnf" -> PROGRAM;
      case "call" -> CALL;
      case "tag" -> TAG;
      case "python" -> PYTHON;
      case "built-in" -> BUILT_IN;
      case "code" -> CODE;
      default -> ANSWER;
    };
  }

  /** Five tools with arguments, and the built-in ones (the interpreter where code is written). */
  private Grammar tools(int number) {
    List<ToolDefinition> tools =
        Stream.of("get_weather", "get_forecast", "send_message", "book_table", "find_person")
            .map(name -> new ToolDefinition(name, "", parameters(number)))
            .toList();
    return Grammar.toolCalls(
        tools,
        grammar.equals("code")
            ? List.of("brave_search", "code_interpreter")
            : List.of("brave_search", "wolfram_alpha"));
  }

  private static Map<String, Object> parameters(int number) {
    Map<String, Object> properties = new LinkedHashMap<>();
    properties.put("city", Map.of("type", "string"));
    properties.put("days", Map.of("type", "integer", "minimum", 1, "maximum", 14));
    properties.put("unit", Map.of("enum", List.of("celsius", "fahrenheit")));
    return Map.of(
        "$comment",
        number,
        "type",
        "object",
        "properties",
        properties,
        "required",
        List.of("city", "days"));
  }

  /** Strings, numbers, lists, objects in objects. */
  static Grammar schema(int number) {
    return Grammar.jsonSchema("{\"$comment\": \"%d\", ".formatted(number) + SCHEMA.substring(1));
  }

  /** Without a grammar. */
  @Benchmark
  public int unconstrained(Volume volume) {
    return write(free, volume);
  }

  /** With a grammar whose masks are known. */
  @Benchmark
  public int constrained(Volume volume) {
    return write(held, volume);
  }

  /** With a grammar that is new. */
  @Benchmark
  public int firstText(Volume volume) {
    return write(free.withGrammar(grammar(++grammars)), volume);
  }

  private int write(GenerationOptions options, Volume volume) {
    TokenChooser chooser =
        new TokenChooser(options, tokenizer, random.length, compiler, new int[0], 2000);
    for (int token : text) {
      System.arraycopy(random, 0, logits, 0, logits.length); // steps may change them
      logits[token] = 60;
      int chosen = chooser.sample(logits);
      if (chosen != token) {
        throw new IllegalStateException(
            "expected %s, found %s".formatted(tokenizer.text(token), tokenizer.text(chosen)));
      }
      chooser.accept(token);
    }
    volume.tokens += text.length;
    return text.length;
  }
}
