package org.llamaj.tokenizer.jinja;

import java.util.List;

/** The tokens of a template and how far they have been read. */
final class Tokens {
  private final List<Token> tokens;
  private int at;

  Tokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  /** The token after the current one. */
  Token peek() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    if (at + 1 < tokens.size()) {
      at++;
    }
    return token;
  }

  /** How many tokens have been read. */
  int position() {
    return at;
  }

  /** Whether a name is among the tokens read since a position. */
  boolean hasNameSince(int position, String name) {
    return tokens.subList(position, at).stream().anyMatch(token -> token.is(Token.Type.NAME, name));
  }

  void back() {
    at--;
  }

  boolean isOperator(String operator) {
    return current().is(Token.Type.OPERATOR, operator);
  }

  boolean isName(String name) {
    return current().is(Token.Type.NAME, name);
  }

  /** Reads an operator if it is the current token. */
  boolean skip(String operator) {
    boolean there = isOperator(operator);
    if (there) {
      next();
    }
    return there;
  }

  /** Reads a name if it is the current token. */
  boolean skipName(String name) {
    boolean there = isName(name);
    if (there) {
      next();
    }
    return there;
  }

  void expect(String operator) {
    if (!skip(operator)) {
      throw error("expected token '%s', got %s".formatted(operator, current().describe()));
    }
  }

  void expect(Token.Type type) {
    if (current().type() != type) {
      throw error(
          "expected %s, got %s"
              .formatted(new Token(type, type.name(), 0).describe(), current().describe()));
    }
    next();
  }

  String name() {
    if (current().type() != Token.Type.NAME) {
      throw error("expected a name, got " + current().describe());
    }
    return next().text();
  }

  JinjaException unexpected() {
    return error("unexpected " + current().describe());
  }

  JinjaException error(String message) {
    return JinjaException.syntax(current().line(), message);
  }
}
