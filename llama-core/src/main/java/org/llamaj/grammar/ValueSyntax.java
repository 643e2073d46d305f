package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Characters;
import org.llamaj.grammar.Expression.Literal;
import org.llamaj.grammar.Expression.Repeat;

/** How values are written: texts of strings, booleans, nothing. */
enum ValueSyntax {
  /** As JSON. */
  JSON("true", "false", "null"),

  /** As literals of Python, in double or single quotes. */
  PYTHON("True", "False", "None");

  private final String yes;
  private final String no;
  private final String nothing;

  ValueSyntax(String yes, String no, String nothing) {
    this.yes = yes;
    this.no = no;
    this.nothing = nothing;
  }

  Expression bool() {
    return Expression.choice(new Literal(yes), new Literal(no));
  }

  Expression nothing() {
    return new Literal(nothing);
  }

  /** Strings of so many characters. */
  Expression string(int min, int max) {
    if (this == JSON) {
      return quoted('"', new Repeat(JsonText.CHARACTER, min, max));
    }
    return Expression.choice(
        quoted('"', new Repeat(pythonCharacter('"'), min, max)),
        quoted('\'', new Repeat(pythonCharacter('\''), min, max)));
  }

  /** Strings whose content, unescaped, is of an expression. */
  Expression string(Expression content) {
    Expression doubly = quoted('"', JsonText.escaped(content, '"'));
    return this == JSON
        ? doubly
        : Expression.choice(doubly, quoted('\'', JsonText.escaped(content, '\'')));
  }

  private static Expression quoted(char quote, Expression content) {
    Expression mark = Expression.literal(String.valueOf(quote));
    return Expression.sequence(mark, content, mark);
  }

  /** Escapes that mean the same in JSON and in Python, and those of quotes. */
  private static Expression pythonCharacter(char quote) {
    return Expression.choice(
        new Characters(JsonText.plain(quote)),
        Expression.sequence(new Literal("\\"), JsonText.characters("\"'\\bfnrt")));
  }

  /** A given value. */
  Expression value(Object value) {
    return switch (value) {
      case null -> nothing();
      case Boolean b -> new Literal(b ? yes : no);
      case Map<?, ?> map -> {
        List<Expression> members = new ArrayList<>();
        map.forEach(
            (name, member) ->
                members.add(
                    Expression.sequence(
                        new Literal(JsonText.write(name.toString())),
                        JsonText.COLON,
                        value(member))));
        yield JsonText.bracketed("{", members, "}");
      }
      case List<?> list -> JsonText.bracketed("[", list.stream().map(this::value).toList(), "]");
      case String text when this == PYTHON -> string(Expression.literal(text));
      default -> new Literal(JsonText.write(value));
    };
  }
}
