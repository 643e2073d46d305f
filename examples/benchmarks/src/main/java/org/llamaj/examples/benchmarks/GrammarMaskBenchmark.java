package org.llamaj.examples.benchmarks;

import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.llamaj.GenerationOptions;
import org.llamaj.generate.TokenChooser;
import org.llamaj.grammar.Grammar;
import org.llamaj.grammar.GrammarCompiler;
import org.llamaj.tokenizer.Tokenizer;
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

  /** What the text is held to. */
  @Param({"schema", "gbnf"})
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
    text = tokenizer.encode(grammar.equals("schema") ? JSON : PROGRAM);
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
    return grammar.equals("schema") ? schema(number) : Grammar.gbnf(GBNF + "# " + number);
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
