package org.llamaj.tokenizer.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses expressions by recursive descent, with the precedence that Jinja gives operators. */
final class ExpressionParser {
  private static final int DEEPEST = 200;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> NO_TEST_ARGUMENT =
      Set.of("else", "or", "and", "if", "is", "in", "not", "recursive");

  private final Tokens tokens;
  private int depth;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** An expression; with commas outside all brackets, a tuple. */
  Expression tuple(boolean conditional) {
    List<Expression> items = new ArrayList<>();
    boolean comma = false;
    while (!atTupleEnd()) {
      items.add(conditional ? expression() : or());
      if (!tokens.skip(",")) {
        comma = false;
        break;
      }
      comma = true;
    }
    if (items.size() == 1 && !comma) {
      return items.getFirst();
    }
    if (items.isEmpty()) {
      throw tokens.unexpected();
    }
    return new Expression.TupleOf(items);
  }

  /** An expression that is no tuple without brackets. */
  Expression expression() {
    if (++depth > DEEPEST) {
      throw tokens.error("expressions nested more than %d deep".formatted(DEEPEST));
    }
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      value = new Expression.Conditional(condition, value, otherwise);
    }
    depth--;
    return value;
  }

  /** An expression without {@code if}: what a loop goes over, whose {@code if} is its own. */
  Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Expression.Logical(false, left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Expression.Logical(true, left, not());
    }
    return left;
  }

  private Expression not() {
    int times = 0;
    while (tokens.isName("not")) {
      tokens.next();
      times++;
    }
    Expression operand = comparison();
    for (; times > 0; times--) {
      operand = new Expression.Not(operand);
    }
    return operand;
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      if (token.type() == Token.Type.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (tokens.isName("not") && tokens.peek().is(Token.Type.NAME, "in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      others.add(sum());
    }
    return others.isEmpty() ? first : new Expression.Comparison(first, operators, others);
  }

  private Expression sum() {
    Expression left = concatenation();
    while (tokens.isOperator("+") || tokens.isOperator("-")) {
      left = new Expression.Arithmetic(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expression concatenation() {
    Expression first = product();
    if (!tokens.isOperator("~")) {
      return first;
    }
    List<Expression> operands = new ArrayList<>(List.of(first));
    while (tokens.skip("~")) {
      operands.add(product());
    }
    return new Expression.Concatenation(operands);
  }

  private Expression product() {
    Expression left = power();
    while (tokens.isOperator("*")
        || tokens.isOperator("/")
        || tokens.isOperator("//")
        || tokens.isOperator("%")) {
      left = new Expression.Arithmetic(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (tokens.skip("**")) {
      left = new Expression.Arithmetic("**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilter) {
    if (++depth > DEEPEST) {
      throw tokens.error("expressions nested more than %d deep".formatted(DEEPEST));
    }
    Expression value;
    if (tokens.isOperator("-") || tokens.isOperator("+")) {
      boolean negative = tokens.next().text().equals("-");
      value = new Expression.Sign(negative, unary(false));
    } else {
      value = postfix(primary());
    }
    depth--;
    return withFilter ? filters(value) : value;
  }

  private Expression primary() {
    Token token = tokens.next();
    switch (token.type()) {
      case NAME:
        return switch (token.text()) {
          case "true", "True" -> new Expression.Literal(true);
          case "false", "False" -> new Expression.Literal(false);
          case "none", "None" -> new Expression.Literal(null);
          default -> new Expression.Name(token.text());
        };
      case STRING:
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.current().type() == Token.Type.STRING) {
          text.append(tokens.next().text());
        }
        return new Expression.Literal(text.toString());
      case INTEGER:
        return new Expression.Literal(Numbers.narrow(new BigInteger(token.text())));
      case FLOAT:
        return new Expression.Literal(Double.valueOf(token.text()));
      case OPERATOR:
        switch (token.text()) {
          case "(" -> {
            return parenthesized();
          }
          case "[" -> {
            return new Expression.ListOf(items("]"));
          }
          case "{" -> {
            return dict();
          }
          default -> {}
        }
        break;
      default:
        break;
    }
    tokens.back();
    throw tokens.unexpected();
  }

  private Expression parenthesized() {
    if (tokens.skip(")")) {
      return new Expression.TupleOf(List.of());
    }
    Expression value = tuple(true);
    tokens.expect(")");
    return value;
  }

  private List<Expression> items(String close) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skip(close)) {
      if (!items.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip(close)) {
          break;
        }
      }
      items.add(expression());
    }
    return items;
  }

  private Expression dict() {
    List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
    while (!tokens.skip("}")) {
      if (!entries.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip("}")) {
          break;
        }
      }
      Expression key = expression();
      tokens.expect(":");
      entries.add(Map.entry(key, expression()));
    }
    return new Expression.DictOf(entries);
  }

  private Expression postfix(Expression target) {
    Expression value = target;
    while (true) {
      if (tokens.skip(".")) {
        Token member = tokens.next();
        value =
            switch (member.type()) {
              case NAME -> new Expression.Attribute(value, member.text());
              case INTEGER ->
                  new Expression.Item(
                      value, new Expression.Literal(Numbers.narrow(new BigInteger(member.text()))));
              default -> throw tokens.error("expected name or number");
            };
      } else if (tokens.skip("[")) {
        value = subscript(value);
      } else if (tokens.isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression target) {
    Expression start = tokens.isOperator(":") ? null : expression();
    if (!tokens.skip(":")) {
      tokens.expect("]");
      return new Expression.Item(target, start);
    }
    Expression stop = tokens.isOperator(":") || tokens.isOperator("]") ? null : expression();
    Expression step = null;
    if (tokens.skip(":") && !tokens.isOperator("]")) {
      step = expression();
    }
    tokens.expect("]");
    return new Expression.Slice(target, start, stop, step);
  }

  /** Filters, tests and calls after a value. */
  private Expression filters(Expression target) {
    Expression value = target;
    while (true) {
      if (tokens.isOperator("|")) {
        value = filter(value);
      } else if (tokens.isName("is")) {
        value = test(value);
      } else if (tokens.isOperator("(")) {
        value = new Expression.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** One or more filters after a value; the first bar may already have been read. */
  Expression filter(Expression target) {
    Expression value = target;
    while (tokens.skip("|")) {
      value = filterCall(value);
    }
    return value;
  }

  /** A filter by its name. */
  Expression filterCall(Expression target) {
    int line = tokens.current().line();
    String name = tokens.name();
    if (!Filters.exists(name)) {
      throw JinjaException.syntax(line, "No filter named '%s'.".formatted(name));
    }
    return new Expression.Filter(
        target, name, tokens.isOperator("(") ? arguments() : Expression.CallArguments.NONE);
  }

  private Expression test(Expression target) {
    tokens.next();
    boolean negated = tokens.skipName("not");
    int line = tokens.current().line();
    String name = tokens.name();
    if (!Tests.exists(name)) {
      throw JinjaException.syntax(line, "No test named '%s'.".formatted(name));
    }
    Expression.CallArguments arguments = Expression.CallArguments.NONE;
    if (tokens.isOperator("(")) {
      arguments = arguments();
    } else if (startsTestArgument()) {
      arguments = new Expression.CallArguments(List.of(postfix(primary())), Map.of(), null, null);
    }
    Expression value = new Expression.Test(target, name, arguments);
    return negated ? new Expression.Not(value) : value;
  }

  private boolean startsTestArgument() {
    Token token = tokens.current();
    return switch (token.type()) {
      case NAME -> !NO_TEST_ARGUMENT.contains(token.text());
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      default -> false;
    };
  }

  Expression.CallArguments arguments() {
    tokens.expect("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    Expression spreadList = null;
    Expression spreadMap = null;
    boolean first = true;
    while (!tokens.skip(")")) {
      if (!first) {
        tokens.expect(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      first = false;
      if (tokens.skip("**")) {
        spreadMap = expression();
      } else if (tokens.skip("*")) {
        spreadList = expression();
      } else if (tokens.current().type() == Token.Type.NAME
          && tokens.peek().is(Token.Type.OPERATOR, "=")) {
        String name = tokens.name();
        tokens.expect("=");
        named.put(name, expression());
      } else if (!named.isEmpty() || spreadMap != null) {
        throw tokens.error("invalid syntax for function call expression");
      } else {
        positional.add(expression());
      }
    }
    return new Expression.CallArguments(positional, named, spreadList, spreadMap);
  }

  private boolean atTupleEnd() {
    return switch (tokens.current().type()) {
      case PRINT_END, BLOCK_END, END -> true;
      case OPERATOR -> tokens.isOperator(")");
      default -> false;
    };
  }
}
