package org.llamaj.grammar;

import java.util.Map;
import java.util.function.Supplier;
import org.llamaj.grammar.Expression.Repeat;

/** The strings that a JSON Schema describes. */
final class SchemaStrings {
  private static final String YEAR = "[0-9]{4}";
  private static final String LEAP_YEAR =
      "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
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

  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
          "ipv4",
          BYTE + "(?:\\." + BYTE + "){3}");

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
    if ((limited ? 1 : 0) + (pattern != null ? 1 : 0) + (format != null ? 1 : 0) > 1) {
      throw new GrammarException(
          path + ": expected one of a length, a pattern or a format, found several");
    }
    if (pattern != null) {
      return syntax.string(pattern(pattern.toString(), path));
    }
    if (format != null) {
      return syntax.string(RegexParser.whole(format));
    }
    if (max != Repeat.UNLIMITED && max < min) {
      throw new GrammarException(path + ": expected minLength up to maxLength, found it larger");
    }
    return limited ? syntax.string(min, max) : any.get();
  }

  private static Expression pattern(String pattern, String path) {
    try {
      return RegexParser.within(pattern);
    } catch (GrammarException e) {
      throw new GrammarException("%s/pattern: %s".formatted(path, e.getMessage()));
    }
  }
}
