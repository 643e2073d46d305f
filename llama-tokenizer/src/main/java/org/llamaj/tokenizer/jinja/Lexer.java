package org.llamaj.tokenizer.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.llamaj.tokenizer.json.PythonStrings;

/**
 * Cuts a template into tokens and takes the white space away that its tags say: {@code -} at a tag
 * takes all, a line end right after a block or comment goes ({@code trim_blocks}), and so does
 * space between the start of a line and a block or comment ({@code lstrip_blocks}); {@code +} at a
 * tag keeps both.
 */
final class Lexer {
  private static final Pattern NUMBER =
      Pattern.compile("(\\d+(?:_\\d+)*)(\\.\\d+(?:_\\d+)*)?([eE][+-]?\\d+(?:_\\d+)*)?");
  private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}\\p{M}_]*");
  private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}");
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",",
          ":", "|", "(", ")", "[", "]", "{", "}", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether the tag before the current text ended a line, which lstrip_blocks counts as one. */
  private boolean trimmedNewline;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String text = template.replace("\r\n", "\n").replace('\r', '\n');
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    Lexer lexer = new Lexer(text);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(at));
        at = source.length();
        break;
      }
      char kind = source.charAt(tag + 1);
      char mode = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      data(textBefore(tag, kind, mode));
      skipTo(tag + 2);
      if (mode == '-' || mode == '+') {
        at++;
      }
      trimmedNewline = false;
      switch (kind) {
        case '#' -> comment();
        case '{' -> {
          add(Token.Type.PRINT_BEGIN, "{{");
          expression("}}", Token.Type.PRINT_END);
        }
        default -> block();
      }
    }
    add(Token.Type.END, "");
  }

  private int nextTag() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The text up to a tag, without the white space that the tag takes. */
  private String textBefore(int tag, char kind, char mode) {
    String text = source.substring(at, tag);
    if (mode == '-') {
      return PythonStrings.stripEnd(text);
    }
    if (kind == '{' || mode == '+') {
      return text;
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    if (lineStart == 0 && at > 0 && !trimmedNewline) {
      return text;
    }
    String indent = text.substring(lineStart);
    return PythonStrings.strip(indent).isEmpty() ? text.substring(0, lineStart) : text;
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      add(Token.Type.DATA, text);
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw JinjaException.syntax(line, "Missing end of comment tag");
    }
    char mode = end > at ? source.charAt(end - 1) : ' ';
    skipTo(end + 2);
    afterTag(mode);
  }

  private void block() {
    int begin = tokens.size();
    add(Token.Type.BLOCK_BEGIN, "{%");
    expression("%}", Token.Type.BLOCK_END);
    if (tokens.size() == begin + 3 && tokens.get(begin + 1).is(Token.Type.NAME, "raw")) {
      tokens.subList(begin, tokens.size()).clear();
      raw();
    }
  }

  private void raw() {
    Matcher end = RAW_END.matcher(source);
    if (!end.find(at)) {
      throw JinjaException.syntax(line, "Missing end of raw directive");
    }
    String before = end.group(1);
    data(textBefore(end.start(), '%', before.isEmpty() ? ' ' : before.charAt(0)));
    skipTo(end.end());
    afterTag(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0));
  }

  /** What lies between the ends of a tag. */
  private void expression(String close, Token.Type closeType) {
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        // The parser says what it would have expected here.
        return;
      }
      if (open.isEmpty()) {
        char c = source.charAt(at);
        boolean signed = c == '-' || c == '+' && closeType == Token.Type.BLOCK_END;
        if (source.startsWith(close, signed ? at + 1 : at)) {
          add(closeType, close);
          at += signed ? 3 : 2;
          afterTag(signed ? c : closeType == Token.Type.PRINT_END ? '+' : ' ');
          return;
        }
      }
      token(open);
    }
  }

  /** Takes away the white space after a tag. */
  private void afterTag(char mode) {
    if (mode == '-') {
      int end = at;
      while (end < source.length() && isSpace(source.charAt(end))) {
        end++;
      }
      trimmedNewline = source.substring(at, end).indexOf('\n') >= 0;
      skipTo(end);
    } else if (mode != '+' && at < source.length() && source.charAt(at) == '\n') {
      skipTo(at + 1);
      trimmedNewline = true;
    }
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(at);
    if (c == '"' || c == '\'') {
      string(c);
      return;
    }
    Matcher number = NUMBER.matcher(source).region(at, source.length());
    if (number.lookingAt()) {
      boolean integer = number.group(2) == null && number.group(3) == null;
      add(integer ? Token.Type.INTEGER : Token.Type.FLOAT, number.group().replace("_", ""));
      at = number.end();
      return;
    }
    Matcher name = NAME.matcher(source).region(at, source.length());
    if (name.lookingAt()) {
      add(Token.Type.NAME, name.group());
      at = name.end();
      return;
    }
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        balance(operator.charAt(0), open);
        add(Token.Type.OPERATOR, operator);
        at += operator.length();
        return;
      }
    }
    throw JinjaException.syntax(line, "unexpected char '%c' at %d".formatted(c, at));
  }

  private void balance(char c, Deque<Character> open) {
    switch (c) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != c) {
          throw JinjaException.syntax(line, "unexpected '%c'".formatted(c));
        }
      }
      default -> {}
    }
  }

  private void string(char quote) {
    int start = at;
    StringBuilder text = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      if (source.charAt(i) == '\\' && i + 1 < source.length()) {
        i = escape(i + 1, text);
      } else {
        text.append(source.charAt(i++));
      }
    }
    if (i >= source.length()) {
      throw JinjaException.syntax(line, "unexpected char '%c' at %d".formatted(quote, start));
    }
    add(Token.Type.STRING, text.toString());
    skipTo(i + 1);
  }

  /** Reads the escape whose letter is at an index; returns the index after it. */
  private int escape(int index, StringBuilder text) {
    char c = source.charAt(index);
    int digits =
        switch (c) {
          case 'x' -> 2;
          case 'u' -> 4;
          case 'U' -> 8;
          default -> 0;
        };
    if (digits > 0) {
      int end = index + 1 + digits;
      try {
        text.appendCodePoint(Integer.parseInt(source, index + 1, end, 16));
      } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
        throw JinjaException.syntax(
            line, "an escape of %d hexadecimal digits is wrong".formatted(digits));
      }
      return end;
    }
    switch (c) {
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'a' -> text.append('\u0007');
      case 'v' -> text.append('\u000b');
      case '0' -> text.append('\0');
      case '\n' -> {}
      case '\\', '\'', '"' -> text.append(c);
      default -> text.append('\\').append(c);
    }
    return index + 1;
  }

  private void skipSpace() {
    int end = at;
    while (end < source.length() && isSpace(source.charAt(end))) {
      end++;
    }
    skipTo(end);
  }

  private void skipTo(int index) {
    for (int i = at; i < index; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    at = index;
  }

  private void add(Token.Type type, String text) {
    tokens.add(new Token(type, text, line));
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c >= '\t' && c <= '\r';
  }
}
