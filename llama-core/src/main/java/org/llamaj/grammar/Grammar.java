package org.llamaj.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.llamaj.tokenizer.chat.ToolDefinition;

/**
 * What a generated text has to be like. Made from a grammar in GBNF, a JSON Schema, a regular
 * expression or a list of texts; a generation with it never leaves it, whatever the model would
 * say.
 *
 * <pre>{@code
 * Grammar mood = Grammar.choice("happy", "sad", "angry");
 * String answer = model.prompt("...").grammar(mood).generate().text();
 * }</pre>
 *
 * <p>Immutable and thread-safe. Keep a grammar that is used again: the tokens it allows are found
 * out once for each model.
 */
public final class Grammar {
  /** How the source is written. */
  private enum Notation {
    GBNF,
    JSON_SCHEMA,
    REGEX,
    CHOICE,
    TOOL_CALLS
  }

  private final Notation notation;
  private final String source;
  private final Automaton automaton;
  private final StateSpace space;

  private Grammar(Notation notation, String source, Rules rules) {
    this.notation = notation;
    this.source = source;
    automaton = new Automaton(rules);
    space = new StateSpace(automaton);
  }

  /**
   * A grammar in GBNF, the notation of llama.cpp. Texts begin with the rule {@code root}.
   *
   * @param text rules such as {@code root ::= "yes" | "no"}
   * @return the grammar
   * @throws GrammarException if it has a mistake, with its place: of syntax, an undefined rule, a
   *     rule that begins with itself (left recursion) or never ends
   */
  public static Grammar gbnf(String text) {
    return new Grammar(Notation.GBNF, text, GbnfParser.parse(text));
  }

  /**
   * Texts that match a regular expression as a whole. Java's syntax without what looks around or
   * back: no assertions but {@code ^} and {@code $} at the ends, no references, no flags.
   *
   * @param pattern the expression
   * @return the grammar
   * @throws GrammarException if it has a mistake or uses what is not supported, with its place
   */
  public static Grammar regex(String pattern) {
    return of(Notation.REGEX, pattern, RegexParser.whole(pattern));
  }

  /**
   * One of several texts.
   *
   * @param texts at least one, none of them empty
   * @return the grammar
   */
  public static Grammar choice(String... texts) {
    return choice(List.of(texts));
  }

  /**
   * One of several texts.
   *
   * @param texts at least one, none of them empty
   * @return the grammar
   */
  public static Grammar choice(List<String> texts) {
    if (texts.isEmpty() || texts.contains("")) {
      throw new IllegalArgumentException("expected texts to choose from, found " + texts);
    }
    List<Expression> literals = texts.stream().map(Expression::literal).toList();
    return of(Notation.CHOICE, String.join("\n", texts), Expression.choice(literals));
  }

  /**
   * JSON texts that a JSON Schema describes, in one line, with or without a space after colons and
   * commas, with the properties of objects in the order of the schema.
   *
   * <p>Supported of draft 2020-12 and of OpenAPI:
   *
   * <ul>
   *   <li>{@code type} (one or several), {@code enum}, {@code const}, {@code nullable}
   *   <li>objects: {@code properties}, {@code required}, {@code additionalProperties}; where no
   *       properties are listed, {@code propertyNames}, {@code patternProperties}, {@code
   *       minProperties}, {@code maxProperties}. Properties that are not listed are not allowed
   *       unless {@code additionalProperties} says so
   *   <li>arrays: {@code items}, {@code prefixItems} (all of them have to be there; also as the
   *       {@code items} and {@code additionalItems} of older drafts), {@code minItems}, {@code
   *       maxItems}
   *   <li>strings: {@code minLength}, {@code maxLength}, {@code pattern}, {@code format} (date,
   *       time, date-time, duration, uuid, email, hostname, ipv4, ipv6; others are not enforced); a
   *       length beside a pattern or format only if it excludes none of their strings
   *   <li>numbers: {@code minimum}, {@code maximum}, {@code exclusiveMinimum}, {@code
   *       exclusiveMaximum}, formats int32 and int64 (whole numbers exactly; of other numbers those
   *       without exponent); {@code multipleOf} without limits: of whole numbers up to 1000, and
   *       0.1, 0.01 and so on
   *   <li>{@code anyOf}; {@code oneOf}, whose alternatives have to exclude each other in a way that
   *       can be seen (types, values of a property, required properties, limits, or a {@code
   *       discriminator}); {@code allOf} (put together); {@code $ref} within the schema, also
   *       recursive, {@code $defs}
   *   <li>{@code if}, {@code then}, {@code else}, {@code not}, {@code dependentRequired}, {@code
   *       dependentSchemas}, where the opposite of the condition can be written: of types (but
   *       integer), values, required, properties, items, limits, anyOf, allOf, not
   *   <li>{@code uniqueItems} of items whose values are listed (enum, const, boolean), about ten of
   *       them; {@code contains}, {@code minContains}, {@code maxContains} (if the opposite of the
   *       item can be written), where few are counted
   * </ul>
   *
   * <p>Titles, descriptions, defaults and other notes are passed over. All else is refused by name,
   * among it {@code uniqueItems} of other items (a grammar cannot remember them), alternatives of
   * {@code oneOf} that may hold together, and references to other documents.
   *
   * @param schema the schema as JSON
   * @return the grammar
   * @throws GrammarException if it is no schema or uses what is not supported, with the path to it
   */
  public static Grammar jsonSchema(String schema) {
    return new Grammar(Notation.JSON_SCHEMA, schema, SchemaCompiler.compile(schema));
  }

  /**
   * JSON texts that a JSON Schema describes: see {@link #jsonSchema(String)}.
   *
   * @param schema the schema as maps, lists, strings, numbers, booleans
   * @return the grammar
   * @throws GrammarException if it is no schema or uses what is not supported, with the path to it
   */
  public static Grammar jsonSchema(Map<String, ?> schema) {
    return jsonSchema(JsonText.write(schema));
  }

  /**
   * Any JSON object.
   *
   * @return the grammar
   */
  public static Grammar json() {
    return jsonSchema(Map.of("type", "object"));
  }

  /**
   * Answers of a model that may call tools: any text, but what begins as a call of one of these
   * tools goes on as one, with arguments that its schema allows. All ways of writing calls are
   * known that {@link org.llamaj.tokenizer.chat.ToolCallParser} reads: JSON, function tags, Python
   * lists, built-in calls and code after {@code <|python_tag|>}.
   *
   * <p>Use it without {@link org.llamaj.GenerationOptions#completion}: a call that is brought to
   * its end before the token limit has arguments that nobody meant.
   *
   * @param tools with their schemas, in which the same is supported as in {@link
   *     #jsonSchema(String)}
   * @param builtIn names of tools that models know without a description: {@code brave_search},
   *     {@code wolfram_alpha}, {@code code_interpreter}
   * @return the grammar
   * @throws GrammarException if a schema uses what is not supported, with the path to it
   */
  public static Grammar toolCalls(List<ToolDefinition> tools, List<String> builtIn) {
    if (tools.isEmpty() && builtIn.isEmpty()) {
      throw new IllegalArgumentException("expected tools, found none");
    }
    List<Object> source = new ArrayList<>(builtIn);
    tools.forEach(tool -> source.add(List.of(tool.name(), tool.parameters())));
    return new Grammar(
        Notation.TOOL_CALLS, JsonText.write(source), ToolCallRules.of(tools, builtIn));
  }

  /** Of rules that are used at once and not kept. */
  static Grammar of(Rules rules) {
    return new Grammar(Notation.GBNF, "", rules);
  }

  private static Grammar of(Notation notation, String source, Expression root) {
    return new Grammar(notation, source, new Rules(Map.of("root", root), "root", _ -> ""));
  }

  /**
   * Whether a text is as the grammar says.
   *
   * @param text a whole text
   * @return true if a generation may give it
   */
  public boolean accepts(String text) {
    return space.start().next(text.getBytes(StandardCharsets.UTF_8), 0).complete();
  }

  /**
   * How much of a text a generation may give as a beginning.
   *
   * @param text any text
   * @return its characters (UTF-16 units) up to the first one that the grammar does not allow
   */
  public int validPrefix(String text) {
    State state = space.start();
    for (int i = 0; i < text.length(); ) {
      int end = text.offsetByCodePoints(i, 1);
      state = state.next(text.substring(i, end).getBytes(StandardCharsets.UTF_8), 0);
      if (state.isDead()) {
        return i;
      }
      i = end;
    }
    return text.length();
  }

  Automaton automaton() {
    return automaton;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Grammar g && g.notation == notation && g.source.equals(source);
  }

  @Override
  public int hashCode() {
    return source.hashCode();
  }

  /**
   * What it was made from.
   *
   * @return rules, schema, pattern, texts or tools
   */
  @Override
  public String toString() {
    return source;
  }
}
