package org.llamaj.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.llamaj.grammar.Expression.Repeat;

/** Reads grammars in GBNF, the notation of llama.cpp. */
final class GbnfParser {
  private static final int DEEPEST = 256;

  private final String text;
  private final Map<String, Expression> rules = new LinkedHashMap<>();
  private final Map<String, Integer> definitions = new HashMap<>();
  private final Map<String, Integer> references = new LinkedHashMap<>();
  private int at;
  private int depth;

  private GbnfParser(String text) {
    this.text = text;
  }

  static Rules parse(String text) {
    GbnfParser parser = new GbnfParser(text);
    parser.rules();
    return new Rules(parser.rules, "root", parser::place);
  }

  private String place(String rule) {
    return GrammarException.at(text, definitions.get(rule), "").getMessage();
  }

  private void rules() {
    skip(true);
    while (at < text.length()) {
      rule();
      skip(true);
    }
    references.forEach(
        (rule, offset) -> {
          if (!rules.containsKey(rule)) {
            throw GrammarException.at(
                text, offset, "expected a rule of this grammar, found " + rule);
          }
        });
    if (!rules.containsKey("root")) {
      throw GrammarException.at(
          text, text.length(), "expected a rule named root, where a text begins; found none");
    }
  }

  private void rule() {
    int start = at;
    String name = name();
    if (name.isEmpty()) {
      throw expected("the name of a rule");
    }
    skip(false);
    if (!text.startsWith("::=", at)) {
      throw expected("::= after the rule's name " + name);
    }
    at += 3;
    skip(true);
    if (definitions.put(name, start) != null) {
      throw GrammarException.at(
          text, start, "expected one definition of %s, found a second".formatted(name));
    }
    rules.put(name, alternatives(false));
    if (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
      throw expected("an item, | or the end of the line");
    }
  }

  private Expression alternatives(boolean nested) {
    if (++depth > DEEPEST) {
      throw GrammarException.at(
          text, at, "expected groups nested at most %d deep, found more".formatted(DEEPEST));
    }
    List<Expression> alternatives = new ArrayList<>();
    alternatives.add(sequence(nested));
    while (peek() == '|') {
      at++;
      skip(true);
      alternatives.add(sequence(nested));
    }
    depth--;
    return Expression.choice(alternatives);
  }

  private Expression sequence(boolean nested) {
    List<Expression> items = new ArrayList<>();
    while (true) {
      Expression item;
      switch (peek()) {
        case '"' -> item = literal();
        case '[' -> item = characters();
        case '.' -> {
          at++;
          item = new Expression.Characters(CodePoints.ALL);
        }
        case '(' -> item = group();
        case '*', '+', '?', '{' -> throw expected("something to repeat before the repetition");
        default -> {
          int start = at;
          String name = name();
          if (name.isEmpty()) {
            return Expression.sequence(items);
          }
          references.putIfAbsent(name, start);
          item = new Expression.Reference(name);
        }
      }
      skip(nested);
      items.add(repeated(item, nested));
    }
  }

  private Expression repeated(Expression first, boolean nested) {
    Expression item = first;
    while (true) {
      switch (peek()) {
        case '*' -> item = new Repeat(item, 0, Repeat.UNLIMITED);
        case '+' -> item = new Repeat(item, 1, Repeat.UNLIMITED);
        case '?' -> item = new Repeat(item, 0, 1);
        case '{' -> item = counted(item);
        default -> {
          return item;
        }
      }
      at++;
      skip(nested);
    }
  }

  /** Reads {@code {m}}, {@code {m,}} or {@code {m,n}} up to its last brace. */
  private Expression counted(Expression item) {
    int start = at++;
    skip(false);
    int min = number();
    int max = min;
    skip(false);
    if (peek() == ',') {
      at++;
      skip(false);
      max = peek() == '}' ? Repeat.UNLIMITED : number();
      skip(false);
    }
    if (peek() != '}') {
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
    while (Character.digit(peek(), 10) >= 0) {
      at++;
    }
    if (at == start) {
      throw expected("a number");
    }
    if (at - start > 9) {
      throw GrammarException.at(
          text, start, "expected a number below 1000000000, found a larger one");
    }
    return Integer.parseInt(text.substring(start, at));
  }

  private Expression group() {
    int start = at++;
    skip(true);
    Expression inner = alternatives(true);
    if (peek() != ')') {
      throw expected("the end of the group that began at offset " + start);
    }
    at++;
    return inner;
  }

  private Expression literal() {
    int start = at++;
    StringBuilder literal = new StringBuilder();
    while (peek() != '"') {
      literal.appendCodePoint(character(start, "literal"));
    }
    at++;
    return Expression.literal(literal.toString());
  }

  private Expression characters() {
    int start = at++;
    boolean negated = peek() == '^';
    at += negated ? 1 : 0;
    List<CodePoints.Range> ranges = new ArrayList<>();
    while (peek() != ']') {
      int first = character(start, "character class");
      int last = first;
      if (peek() == '-' && at + 1 < text.length() && text.charAt(at + 1) != ']') {
        at++;
        last = character(start, "character class");
        if (last < first) {
          throw GrammarException.at(text, start, "expected ranges upwards, found one downwards");
        }
      }
      ranges.add(new CodePoints.Range(first, last));
    }
    at++;
    CodePoints set = new CodePoints(ranges);
    CodePoints wanted = negated ? set.complement() : set;
    if (wanted.isEmpty()) {
      throw GrammarException.at(text, start, "expected a class with characters, found none in it");
    }
    return new Expression.Characters(wanted);
  }

  private int character(int start, String what) {
    if (at >= text.length()) {
      throw GrammarException.at(
          text, start, "expected the end of this %s, found none".formatted(what));
    }
    int c = text.codePointAt(at);
    at += Character.charCount(c);
    if (c != '\\') {
      return c;
    }
    char escape = (char) Math.max(0, peek());
    at++;
    return switch (escape) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '\\', '"', '[', ']', '-', '^' -> escape;
      case 'x' -> hexadecimal(2);
      case 'u' -> hexadecimal(4);
      case 'U' -> hexadecimal(8);
      default ->
          throw GrammarException.at(
              text, at - 2, "expected an escape of n r t x u U \\ \" [ ] - ^, found \\" + escape);
    };
  }

  private int hexadecimal(int digits) {
    int start = at;
    int value = 0;
    for (int i = 0; i < digits; i++, at++) {
      int digit = Character.digit(peek(), 16);
      if (digit < 0) {
        throw expected("%d hexadecimal digits".formatted(digits));
      }
      value = 16 * value + digit;
    }
    if (!Character.isValidCodePoint(value)) {
      throw GrammarException.at(
          text, start, "expected a Unicode character, found none of this number");
    }
    return value;
  }

  private String name() {
    int start = at;
    while (isNamePart(peek())) {
      at++;
    }
    return text.substring(start, at);
  }

  private static boolean isNamePart(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '-'
        || c == '_';
  }

  /** Skips white space and comments; line ends only where they do not end a rule. */
  private void skip(boolean lines) {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '#') {
        while (at < text.length() && text.charAt(at) != '\n' && text.charAt(at) != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private int peek() {
    return at < text.length() ? text.charAt(at) : -1;
  }

  private GrammarException expected(String what) {
    String found = at < text.length() ? Character.toString(text.codePointAt(at)) : "the end";
    return GrammarException.at(text, at, "expected %s, found %s".formatted(what, found));
  }
}
