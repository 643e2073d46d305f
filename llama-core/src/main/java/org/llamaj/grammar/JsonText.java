package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Choice;
import org.llamaj.grammar.Expression.Control;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Reference;
import org.llamaj.grammar.Expression.Repeat;
import org.llamaj.grammar.Expression.Sequence;
import org.llamaj.tokenizer.json.JsonWriter;

/** The parts of JSON texts, as expressions. */
final class JsonText {
  static final Expression COMMA = separator(",");
  static final Expression COLON = separator(":");
  static final Expression DIGIT = characters("0123456789");
  static final Expression FRACTION =
      Expression.sequence(new Literal("."), new Repeat(DIGIT, 1, Repeat.UNLIMITED));
  static final Expression WHOLE =
      Expression.choice(
          new Literal("0"), Expression.sequence(characters("123456789"), Expression.any(DIGIT)));
  static final Expression INTEGER =
      Expression.sequence(Expression.optional(new Literal("-")), WHOLE);
  static final Expression NUMBER =
      Expression.sequence(
          INTEGER,
          Expression.optional(FRACTION),
          Expression.optional(
              Expression.sequence(
                  characters("eE"),
                  Expression.optional(characters("+-")),
                  new Repeat(DIGIT, 1, Repeat.UNLIMITED))));

  /** What stands in a string for itself. */
  static final CodePoints PLAIN =
      CodePoints.of(new CodePoints.Range(0, 0x1f)).plus(CodePoints.anyOf("\"\\")).complement();

  /** One character of a string, a pair of escaped surrogates included. */
  static final Expression CHARACTER =
      Expression.choice(
          new Characters(PLAIN),
          Expression.sequence(
              new Literal("\\"),
              Expression.choice(
                  characters("\"\\/bfnrt"),
                  Expression.sequence(
                      new Literal("u"),
                      Expression.choice(
                          hexadecimal("0123456789abcefABCEF", "0123456789abcdefABCDEF"),
                          hexadecimal("dD", "01234567"),
                          Expression.sequence(
                              hexadecimal("dD", "89abAB"),
                              new Literal("\\u"),
                              hexadecimal("dD", "cdefCDEF")))))));

  private static final JsonWriter WRITER = new JsonWriter(false, null, ",", ":", false);

  private JsonText() {}

  static Expression characters(String set) {
    return new Characters(CodePoints.anyOf(set));
  }

  private static Expression hexadecimal(String first, String second) {
    Expression digit = characters("0123456789abcdefABCDEF");
    return Expression.sequence(characters(first), characters(second), digit, digit);
  }

  private static Expression separator(String mark) {
    return Expression.sequence(new Literal(mark), Expression.optional(new Literal(" ")));
  }

  static String write(Object value) {
    return WRITER.write(value);
  }

  /** Items with commas between them. */
  static Expression bracketed(String open, List<Expression> items, String close) {
    List<Expression> parts = new ArrayList<>(List.of(new Literal(open)));
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        parts.add(COMMA);
      }
      parts.add(items.get(i));
    }
    parts.add(Expression.literal(close));
    return Expression.sequence(parts);
  }

  /** What stands for itself in a string with such quotes. */
  static CodePoints plain(char quote) {
    return quote == '"' ? PLAIN : PLAIN.plus(CodePoints.of('"')).minus(CodePoints.of(quote));
  }

  /** The content of a string with such quotes, from what it is unescaped. */
  static Expression escaped(Expression content, char quote) {
    return switch (content) {
      case Literal literal -> Expression.literal(escaped(literal.text(), quote));
      case Characters characters -> escaped(characters.set(), quote);
      case Sequence sequence ->
          Expression.sequence(sequence.items().stream().map(item -> escaped(item, quote)).toList());
      case Choice choice ->
          Expression.choice(
              choice.alternatives().stream().map(item -> escaped(item, quote)).toList());
      case Repeat repeat -> new Repeat(escaped(repeat.item(), quote), repeat.min(), repeat.max());
      case Reference _, Control _ -> content;
    };
  }

  private static Expression escaped(CodePoints set, char quote) {
    List<Expression> alternatives = new ArrayList<>();
    CodePoints plain = plain(quote);
    CodePoints same = set.minus(plain.complement());
    if (!same.isEmpty()) {
      alternatives.add(new Characters(same));
    }
    for (CodePoints.Range range : set.minus(plain).ranges()) {
      for (int c = range.first(); c <= range.last(); c++) {
        alternatives.add(new Literal(escaped(Character.toString(c), quote)));
      }
    }
    return Expression.choice(alternatives);
  }

  private static String escaped(String text, char quote) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              String one = Character.toString(c);
              if (c == quote) {
                escaped.append('\\').append(quote);
              } else if (c == '"') {
                escaped.append('"');
              } else {
                String written = write(one);
                escaped.append(written, 1, written.length() - 1);
              }
            });
    return escaped.toString();
  }

  /** A string that is none of some names; it begins like none of them with an escape. */
  static Expression stringOtherThan(List<String> names) {
    return Expression.sequence(new Literal("\""), otherThan(names, 0), new Literal("\""));
  }

  /** The rest of a string that begins with as many characters of all these names. */
  private static Expression otherThan(List<String> names, int depth) {
    List<Expression> alternatives = new ArrayList<>();
    CodePoints others = PLAIN;
    List<String> rest = new ArrayList<>(names);
    boolean isName = rest.removeIf(name -> name.length() == depth);
    if (!isName && depth > 0) {
      alternatives.add(Expression.EMPTY);
    }
    while (!rest.isEmpty()) {
      int c = rest.getFirst().codePointAt(depth);
      List<String> same = rest.stream().filter(name -> name.codePointAt(depth) == c).toList();
      rest.removeAll(same);
      others = others.minus(CodePoints.of(c));
      if (PLAIN.contains(c)) {
        alternatives.add(
            Expression.sequence(
                new Literal(Character.toString(c)),
                otherThan(same, depth + Character.charCount(c))));
      }
    }
    alternatives.add(Expression.sequence(new Characters(others), Expression.any(CHARACTER)));
    return Expression.choice(alternatives);
  }
}
