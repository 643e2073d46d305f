package org.llamaj.tokenizer.jinja;

import java.time.Duration;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** A parsed template. Immutable and safe for use by many threads. */
public final class Template {
  /** Far longer than the templates of models are. */
  private static final int LONGEST = 1 << 20;

  private final List<Statement> statements;

  private Template(List<Statement> statements) {
    this.statements = statements;
  }

  /**
   * Parses a template.
   *
   * @param source its text
   * @return the template
   * @throws JinjaException of kind SYNTAX if it is not well-formed
   */
  public static Template parse(String source) {
    if (source.length() > LONGEST) {
      throw JinjaException.syntax(1, "a template of more than %d characters".formatted(LONGEST));
    }
    return new Template(StatementParser.parse(source));
  }

  /**
   * Renders the template.
   *
   * @param variables values by name: maps, lists, strings, {@link Long}, {@link Double}, booleans,
   *     null; they are only read
   * @param clock what {@code strftime_now} takes for now
   * @param time how long it may take
   * @return the text
   * @throws JinjaException if the template fails
   */
  public String render(Map<String, ?> variables, Supplier<LocalDateTime> clock, Duration time) {
    Scope globals = new Scope(null);
    Globals.addTo(globals, clock);
    Scope scope = new Scope(globals);
    variables.forEach(scope::set);
    try {
      return new Interpreter(new Budget(time)).render(statements, new Scope(scope));
    } catch (StackOverflowError e) {
      throw JinjaException.runtime("the template nests too deep");
    }
  }
}
