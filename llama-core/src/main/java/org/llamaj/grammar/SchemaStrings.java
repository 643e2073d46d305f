package org.llamaj.grammar;

import java.util.Map;
import java.util.function.Supplier;
import org.llamaj.grammar.Expression.Repeat;

/** The strings that a JSON Schema describes. */
final class SchemaStrings {
  private static final String YEAR =
      "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"; // there was no year 0
  private static final String LEAP_YEAR =
      "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)";
  private static final String DATE =
      "(?:"
          + YEAR
          + "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
          + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
          + "|02-(?:0[1-9]|1[0-9]|2[0-8]))|"
          + LEAP_YEAR
          + "-02-29)";
  private static final String TIME =
      "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
          + "(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])";
  private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

  private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
  private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,3}";
  private static final String WORD = "[0-9a-fA-F]{1,4}";
  private static final String IPV6 =
      "(?:(?:%1$s:){7}%1$s|(?:%1$s:){1,6}:%1$s|%1$s::|::(?:%1$s:){0,5}%1$s|::)".formatted(WORD);
  private static final String DAY = "[0-9]+D";
  private static final String MONTH = "[0-9]+M";
  private static final String TIME_OF_DURATION =
      "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
  private static final String DURATION =
      "P(?:[0-9]+W|(?:[0-9]+Y(?:%2$s(?:%1$s)?)?|%2$s(?:%1$s)?|%1$s)(?:%3$s)?|%3$s)"
          .formatted(DAY, MONTH, TIME_OF_DURATION);

  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "duration",
          DURATION,
          "uuid",
          "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
          "ipv4",
          BYTE + "(?:\\." + BYTE + "){3}",
          "ipv6",
          IPV6,
          "hostname",
          HOST,
          "email",
          "[a-zA-Z0-9_+-]+(?:\\.[a-zA-Z0-9_+-]+)*@" + HOST);

  /** More characters than any string of a bounded pattern has. */
  private static final long NO_LIMIT = 1L << 40;

  private SchemaStrings() {}

  /**
   * The strings of a schema.
   *
   * @param syntax how they are written
   * @param any strings of all kinds
   */
  static Expression of(
      Map<String, Object> schema, String path, ValueSyntax syntax, Supplier<Expression> any) {
    int min = SchemaCompiler.count(schema, "minLength", 0, path);
    int max = SchemaCompiler.count(schema, "maxLength", Repeat.UNLIMITED, path);
    boolean limited = min > 0 || max != Repeat.UNLIMITED;
    Object pattern = schema.get("pattern");
    String format = FORMATS.get(String.valueOf(schema.get("format")));
    if (pattern != null && format != null) {
      throw new GrammarException(path + ": expected a pattern or a format, found both");
    }
    if (pattern != null || format != null) {
      Expression content =
          pattern != null ? pattern(pattern.toString(), path) : RegexParser.whole(format);
      boolean fits = shortest(content) >= min && longest(content) <= (max < 0 ? NO_LIMIT : max);
      if (limited && !fits) {
        throw new GrammarException(
            path
                + ": expected a length, or a pattern or format with strings of no other length,"
                + " found both");
      }
      return syntax.string(content);
    }
    if (max != Repeat.UNLIMITED && max < min) {
      throw new GrammarException(path + ": expected minLength up to maxLength, found it larger");
    }
    return limited ? syntax.string(min, max) : any.get();
  }

  /** The fewest characters. */
  private static long shortest(Expression expression) {
    return switch (expression) {
      case Expression.Literal literal -> literal.text().codePointCount(0, literal.text().length());
      case Expression.Characters _ -> 1;
      case Expression.Sequence s -> s.items().stream().mapToLong(SchemaStrings::shortest).sum();
      case Expression.Choice c ->
          c.alternatives().stream().mapToLong(SchemaStrings::shortest).min().orElseThrow();
      case Repeat r -> r.min() * shortest(r.item());
      case Expression.Reference _, Expression.Control _ -> 0;
    };
  }

  /** The most characters; {@link #NO_LIMIT} or more if there is no limit. */
  private static long longest(Expression expression) {
    return switch (expression) {
      case Expression.Literal literal -> literal.text().codePointCount(0, literal.text().length());
      case Expression.Characters _ -> 1;
      case Expression.Sequence s -> s.items().stream().mapToLong(SchemaStrings::longest).sum();
      case Expression.Choice c ->
          c.alternatives().stream().mapToLong(SchemaStrings::longest).max().orElseThrow();
      case Repeat r ->
          r.max() == Repeat.UNLIMITED || longest(r.item()) >= NO_LIMIT
              ? NO_LIMIT
              : r.max() * longest(r.item());
      case Expression.Reference _, Expression.Control _ -> NO_LIMIT;
    };
  }

  private static Expression pattern(String pattern, String path) {
    try {
      return RegexParser.within(pattern);
    } catch (GrammarException e) {
      throw new GrammarException("%s/pattern: %s".formatted(path, e.getMessage()));
    }
  }
}
