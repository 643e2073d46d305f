package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.List;
import org.llamaj.grammar.Expression.Repeat;

/** Reads regular expressions in the syntax that Java and JavaScript share. */
final class RegexParser {
  private static final int DEEPEST = 256;
  private static final CodePoints DIGITS = CodePoints.of(new CodePoints.Range('0', '9'));
  private static final CodePoints WORD =
      DIGITS.plus(
          CodePoints.of(
              new CodePoints.Range('a', 'z'),
              new CodePoints.Range('A', 'Z'),
              new CodePoints.Range('_', '_')));
  private static final CodePoints SPACE = CodePoints.anyOf(" \t\n\u000b\f\r");
  private static final CodePoints LINE_ENDS = CodePoints.anyOf("\n\r\u0085\u2028\u2029");

  private final String text;
  private int at;
  private int depth;

  private RegexParser(String text) {
    this.text = text;
  }

  /** Texts that match as a whole. */
  static Expression whole(String pattern) {
    return new RegexParser(pattern).parse(Expression.EMPTY);
  }

  /** Texts with a part that matches, of any characters around it. */
  static Expression within(String pattern) {
    return new RegexParser(pattern)
        .parse(Expression.any(new Expression.Characters(CodePoints.ALL)));
  }

  private Expression parse(Expression around) {
    List<Expression> alternatives = new ArrayList<>();
    do {
      alternatives.add(anchored(around));
    } while (next('|'));
    if (at < text.length()) {
      throw expected("the end of the expression");
    }
    return Expression.choice(alternatives);
  }

  private Expression anchored(Expression around) {
    boolean fromStart = next('^');
    Expression inner = sequence();
    boolean toEnd = next('$');
    return Expression.sequence(
        fromStart ? Expression.EMPTY : around, inner, toEnd ? Expression.EMPTY : around);
  }

  private Expression sequence() {
    List<Expression> items = new ArrayList<>();
    while (at < text.length() && "|)$".indexOf(text.charAt(at)) < 0) {
      items.add(repeated(item()));
    }
    return Expression.sequence(items);
  }

  private Expression repeated(Expression first) {
    Expression item = first;
    while (at < text.length()) {
      int start = at;
      if (next('*')) {
        item = new Repeat(item, 0, Repeat.UNLIMITED);
      } else if (next('+')) {
        item = new Repeat(item, 1, Repeat.UNLIMITED);
      } else if (next('?')) {
        item = new Repeat(item, 0, 1);
      } else if (next('{')) {
        item = counted(item, start);
      } else {
        return item;
      }
      next('?'); // Which of several matches comes first makes no difference here.
    }
    return item;
  }

  private Expression counted(Expression item, int start) {
    int min = number();
    int max = min;
    if (next(',')) {
      max = at < text.length() && text.charAt(at) == '}' ? Repeat.UNLIMITED : number();
    }
    if (!next('}')) {
      throw expected("} after the numbers of a repetition");
    }
    if (max != Repeat.UNLIMITED && max < min) {
      throw GrammarException.at(
          text, start, "expected {least,most}, found {%d,%d}".formatted(min, max));
    }
    return new Repeat(item, min, max);
  }

  private int number() {
    int start = at;
    while (at < text.length() && DIGITS.contains(text.charAt(at))) {
      at++;
    }
    if (at == start || at - start > 9) {
      at = start;
      throw expected("a number below 1000000000");
    }
    return Integer.parseInt(text.substring(start, at));
  }

  private Expression item() {
    if (next('(')) {
      return group();
    }
    if (next('[')) {
      return new Expression.Characters(characterClass());
    }
    if (next('.')) {
      return new Expression.Characters(LINE_ENDS.complement());
    }
    if ("*+?{^".indexOf(text.charAt(at)) >= 0) {
      throw expected("something to repeat or a character; ^ stands at the beginning only");
    }
    if (text.charAt(at) == '\\') {
      return new Expression.Characters(escape());
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return Expression.literal(Character.toString(c));
  }

  private Expression group() {
    int start = at - 1;
    if (next('?') && !next(':')) {
      throw expected("a plain group (...) or (?:...): nothing else is supported");
    }
    if (++depth > DEEPEST) {
      throw GrammarException.at(
          text, at, "expected groups nested at most %d deep, found more".formatted(DEEPEST));
    }
    List<Expression> alternatives = new ArrayList<>();
    do {
      alternatives.add(sequence());
    } while (next('|'));
    depth--;
    if (!next(')')) {
      throw expected("the end of the group that began at character " + (start + 1));
    }
    return Expression.choice(alternatives);
  }

  private CodePoints characterClass() {
    int start = at - 1;
    boolean negated = next('^');
    CodePoints set = new CodePoints(List.of());
    boolean first = true;
    while (first || !next(']')) {
      first = false;
      if (at >= text.length()) {
        throw GrammarException.at(
            text, start, "expected the end of this character class, found none");
      }
      if (text.charAt(at) == '[' || text.startsWith("&&", at)) {
        throw expected("a character (classes within classes are not supported)");
      }
      CodePoints one = classItem();
      boolean range =
          at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']';
      if (range && one.ranges().size() == 1) {
        at++;
        int from = one.ranges().getFirst().first();
        CodePoints last = classItem();
        int to = last.ranges().isEmpty() ? -1 : last.ranges().getLast().last();
        if (to < from) {
          throw GrammarException.at(text, start, "expected ranges upwards, found one downwards");
        }
        one = CodePoints.of(new CodePoints.Range(from, to));
      }
      set = set.plus(one);
    }
    CodePoints wanted = negated ? set.complement() : set;
    if (wanted.isEmpty()) {
      throw GrammarException.at(text, start, "expected a class with characters, found none in it");
    }
    return wanted;
  }

  private CodePoints classItem() {
    if (at >= text.length()) {
      throw expected("a character");
    }
    if (text.charAt(at) == '\\') {
      return escape();
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    return CodePoints.of(c);
  }

  private CodePoints escape() {
    int start = at++;
    if (at >= text.length()) {
      throw expected("a character after \\");
    }
    char c = text.charAt(at++);
    return switch (c) {
      case 'd' -> DIGITS;
      case 'D' -> DIGITS.complement();
      case 'w' -> WORD;
      case 'W' -> WORD.complement();
      case 's' -> SPACE;
      case 'S' -> SPACE.complement();
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 't' -> CodePoints.of('\t');
      case 'f' -> CodePoints.of('\f');
      case 'x' -> CodePoints.of(hexadecimal(2));
      case 'u' -> CodePoints.of(hexadecimal(4));
      default -> {
        if (WORD.contains(c)) {
          throw GrammarException.at(text, start, "expected a supported escape, found \\" + c);
        }
        yield CodePoints.of(c);
      }
    };
  }

  private int hexadecimal(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++, at++) {
      int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
      if (digit < 0) {
        throw expected(digits + " hexadecimal digits");
      }
      value = 16 * value + digit;
    }
    return value;
  }

  private boolean next(char c) {
    boolean there = at < text.length() && text.charAt(at) == c;
    at += there ? 1 : 0;
    return there;
  }

  private GrammarException expected(String what) {
    String found = at < text.length() ? Character.toString(text.codePointAt(at)) : "the end";
    return GrammarException.at(text, at, "expected %s, found %s".formatted(what, found));
  }
}
