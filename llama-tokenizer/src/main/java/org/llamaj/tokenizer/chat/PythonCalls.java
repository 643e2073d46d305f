package org.llamaj.tokenizer.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads {@code [f(a=1), g(b="x")]}: a list of calls of plain names, with keyword arguments that are
 * Python literals. Anything else is refused; nothing is evaluated.
 */
final class PythonCalls {
  /** Says what is wrong with a text. */
  static final class NotCalls extends Exception {
    private static final long serialVersionUID = 1L;

    NotCalls(String message) {
      super(message);
    }
  }

  private static final int DEEPEST = 100;
  private static final Set<String> KEYWORDS =
      Set.of(
          "False",
          "None",
          "True",
          "and",
          "as",
          "assert",
          "async",
          "await",
          "break",
          "class",
          "continue",
          "def",
          "del",
          "elif",
          "else",
          "except",
          "finally",
          "for",
          "from",
          "global",
          "if",
          "import",
          "in",
          "is",
          "lambda",
          "nonlocal",
          "not",
          "or",
          "pass",
          "raise",
          "return",
          "try",
          "while",
          "with",
          "yield");

  private final String text;
  private int at;
  private int depth;

  private PythonCalls(String text) {
    this.text = text;
  }

  /** The calls of a text that is such a list and nothing else. */
  static List<Content.ToolCall> parse(String text) throws NotCalls {
    PythonCalls parser = new PythonCalls(text);
    parser.expect('[');
    List<Content.ToolCall> calls = new ArrayList<>();
    do {
      if (!calls.isEmpty() && parser.next() == ']') {
        break;
      }
      calls.add(parser.call());
    } while (parser.skip(','));
    parser.expect(']');
    if (parser.next() != '\0' || parser.at < text.length()) {
      throw parser.wrong("nothing after the list");
    }
    return calls;
  }

  /** Whether a text is a name that calls can have. */
  static boolean isName(String text) {
    try {
      return new PythonCalls(text).name().equals(text);
    } catch (NotCalls e) {
      return false;
    }
  }

  private Content.ToolCall call() throws NotCalls {
    String name = name();
    expect('(');
    Map<String, Object> arguments = new LinkedHashMap<>();
    while (next() != ')') {
      String key = name();
      expect('=');
      arguments.put(key, value());
      if (!skip(',')) {
        break;
      }
    }
    expect(')');
    return new Content.ToolCall(name, arguments);
  }

  private String name() throws NotCalls {
    next();
    int start = at;
    if (at < text.length() && Character.isUnicodeIdentifierStart(text.codePointAt(at))
        || peek('_')) {
      do {
        at += Character.charCount(text.codePointAt(at));
      } while (at < text.length() && Character.isUnicodeIdentifierPart(text.codePointAt(at)));
    }
    String name = text.substring(start, at);
    if (name.isEmpty() || KEYWORDS.contains(name)) {
      throw wrong("a name");
    }
    return name;
  }

  private Object value() throws NotCalls {
    if (++depth > DEEPEST) {
      throw wrong("values nested at most %d deep".formatted(DEEPEST));
    }
    char c = next();
    Object value =
        switch (c) {
          case '[' -> items('[', ']');
          case '(' -> items('(', ')');
          case '{' -> dict();
          case '"', '\'' -> strings();
          default -> {
            if (c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9') {
              yield number();
            }
            if ((c == 'r' || c == 'R') && at + 1 < text.length() && isQuote(text.charAt(at + 1))) {
              yield strings();
            }
            yield constant();
          }
        };
    depth--;
    return value;
  }

  private Object constant() throws NotCalls {
    int start = at;
    while (at < text.length() && Character.isLetter(text.charAt(at))) {
      at++;
    }
    return switch (text.substring(start, at)) {
      case "True", "true" -> true;
      case "False", "false" -> false;
      case "None", "null" -> null;
      default -> {
        at = start;
        throw wrong("a Python literal");
      }
    };
  }

  private List<Object> items(char open, char close) throws NotCalls {
    expect(open);
    List<Object> items = new ArrayList<>();
    boolean comma = true;
    while (next() != close && comma) {
      items.add(value());
      comma = skip(',');
    }
    expect(close);
    if (open == '(' && items.size() == 1 && !comma) {
      throw wrong("a comma in a tuple of one item");
    }
    return items;
  }

  private Map<String, Object> dict() throws NotCalls {
    expect('{');
    Map<String, Object> dict = new LinkedHashMap<>();
    while (next() != '}') {
      if (!isQuote(next())) {
        throw wrong("a string as the key of a dictionary");
      }
      String key = strings();
      expect(':');
      dict.put(key, value());
      if (!skip(',')) {
        break;
      }
    }
    expect('}');
    return dict;
  }

  /** One or more strings side by side, which Python puts together. */
  private String strings() throws NotCalls {
    StringBuilder value = new StringBuilder();
    do {
      boolean raw = text.charAt(at) == 'r' || text.charAt(at) == 'R';
      if (raw) {
        at++;
      }
      string(raw, value);
    } while (isQuote(next()));
    return value.toString();
  }

  private void string(boolean raw, StringBuilder value) throws NotCalls {
    String quote = text.substring(at, at + 1);
    boolean triple = text.startsWith(quote.repeat(3), at);
    String end = triple ? quote.repeat(3) : quote;
    at += end.length();
    while (!text.startsWith(end, at)) {
      if (at >= text.length() || !triple && text.charAt(at) == '\n') {
        throw wrong("the end of a string");
      }
      char c = text.charAt(at++);
      if (c != '\\' || at >= text.length()) {
        value.append(c);
      } else if (raw) {
        value.append(c).append(text.charAt(at++));
      } else {
        escape(value);
      }
    }
    at += end.length();
  }

  private void escape(StringBuilder value) throws NotCalls {
    char c = text.charAt(at++);
    switch (c) {
      case '\n' -> {}
      case '\\', '\'', '"' -> value.append(c);
      case 'a' -> value.append('\u0007');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'n' -> value.append('\n');
      case 'r' -> value.append('\r');
      case 't' -> value.append('\t');
      case 'v' -> value.append('\u000b');
      case 'x' -> hexadecimal(2, value);
      case 'u' -> hexadecimal(4, value);
      case 'U' -> hexadecimal(8, value);
      default -> {
        if (c >= '0' && c <= '7') {
          int code = c - '0';
          for (int i = 1; i < 3 && at < text.length() && isOctal(text.charAt(at)); i++) {
            code = 8 * code + text.charAt(at++) - '0';
          }
          value.append((char) code);
        } else {
          value.append('\\').append(c);
        }
      }
    }
  }

  private void hexadecimal(int digits, StringBuilder value) throws NotCalls {
    try {
      value.appendCodePoint(Integer.parseInt(text, at, at + digits, 16));
      at += digits;
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw wrong("%d hexadecimal digits".formatted(digits));
    }
  }

  private Object number() throws NotCalls {
    int start = at;
    if (peek('-') || peek('+')) {
      at++;
    }
    int digits = at;
    while (at < text.length() && isNumberPart(text.charAt(at))) {
      at++;
    }
    String sign = text.charAt(start) == '-' ? "-" : "";
    String number = text.substring(digits, at);
    try {
      if (number.matches("0[xX](_?[0-9a-fA-F])+")) {
        return integer(sign, number.substring(2), 16);
      }
      if (number.matches("0[bB](_?[01])+")) {
        return integer(sign, number.substring(2), 2);
      }
      if (number.matches("0[oO](_?[0-7])+")) {
        return integer(sign, number.substring(2), 8);
      }
      if (number.matches("0+|[1-9](_?[0-9])*")) {
        return integer(sign, number, 10);
      }
      if (number.matches(
              "([0-9](_?[0-9])*\\.?([0-9](_?[0-9])*)?|\\.[0-9](_?[0-9])*)([eE][+-]?[0-9]+)?")
          && number.matches(".*[.eE].*")) {
        double value = Double.parseDouble(sign + number.replace("_", ""));
        if (Double.isFinite(value)) {
          return value;
        }
      }
    } catch (NumberFormatException e) {
      // Falls through to the message below.
    }
    at = start;
    throw wrong("a number");
  }

  private static Object integer(String sign, String digits, int radix) {
    if (digits.length() > 1000) {
      throw new NumberFormatException();
    }
    BigInteger value = new BigInteger(sign + digits.replace("_", ""), radix);
    return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
  }

  /** Whether a character can belong to a number; the sign of an exponent is one. */
  private boolean isNumberPart(char c) {
    if (c == '+' || c == '-') {
      char before = text.charAt(at - 1);
      return (before == 'e' || before == 'E') && !text.startsWith("0x", at - 2);
    }
    return c == '.' || c == '_' || c < 128 && Character.isLetterOrDigit(c);
  }

  private boolean peek(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  /** The next character that is no white space, which is not read; 0 at the end. */
  private char next() {
    while (at < text.length() && " \t\r\n\f".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private boolean skip(char c) {
    boolean there = next() == c && at < text.length();
    if (there) {
      at++;
    }
    return there;
  }

  private void expect(char c) throws NotCalls {
    if (!skip(c)) {
      throw wrong("'" + c + "'");
    }
  }

  private NotCalls wrong(String expected) {
    return new NotCalls(
        at < text.length()
            ? "expected %s at character %d, found '%c'".formatted(expected, at, text.charAt(at))
            : "expected %s, found the end".formatted(expected));
  }

  private static boolean isQuote(char c) {
    return c == '"' || c == '\'';
  }

  private static boolean isOctal(char c) {
    return c >= '0' && c <= '7';
  }
}
