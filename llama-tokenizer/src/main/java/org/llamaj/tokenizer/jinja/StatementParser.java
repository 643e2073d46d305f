package org.llamaj.tokenizer.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Parses the statements of a template. */
final class StatementParser {
  private static final int DEEPEST = 100;

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int depth;
  private int loops;

  private StatementParser(List<Token> tokens) {
    this.tokens = new Tokens(tokens);
    this.expressions = new ExpressionParser(this.tokens);
  }

  static List<Statement> parse(String template) {
    return new StatementParser(Lexer.tokens(template)).body(Set.of());
  }

  /** Statements up to a tag with one of some names, which is left to be read. */
  private List<Statement> body(Set<String> ends) {
    if (++depth > DEEPEST) {
      throw tokens.error("blocks nested more than %d deep".formatted(DEEPEST));
    }
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      switch (token.type()) {
        case DATA -> statements.add(new Statement.Text(tokens.next().text()));
        case PRINT_BEGIN -> {
          tokens.next();
          statements.add(new Statement.Print(expressions.tuple(true)));
          tokens.expect(Token.Type.PRINT_END);
        }
        case BLOCK_BEGIN -> {
          tokens.next();
          if (tokens.current().type() == Token.Type.NAME
              && ends.contains(tokens.current().text())) {
            depth--;
            return statements;
          }
          statements.add(statement());
        }
        case END -> {
          if (!ends.isEmpty()) {
            throw tokens.error(
                "Unexpected end of template. Expected one of the tags " + String.join(", ", ends));
          }
          return statements;
        }
        default -> throw tokens.unexpected();
      }
    }
  }

  private Statement statement() {
    int line = tokens.current().line();
    String tag = tokens.name();
    return switch (tag) {
      case "if" -> ifStatement();
      case "for" -> forStatement();
      case "set" -> set();
      case "macro" -> macro();
      case "call" -> call();
      case "filter" -> filter();
      case "with" -> with();
      case "generation" -> {
        end();
        yield new Statement.Group(blockUntil("endgeneration"));
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw JinjaException.syntax(line, "'%s' outside loop".formatted(tag));
        }
        end();
        yield tag.equals("break") ? new Statement.Break() : new Statement.Continue();
      }
      default -> throw JinjaException.syntax(line, "Encountered unknown tag '%s'.".formatted(tag));
    };
  }

  private Statement ifStatement() {
    List<Statement.Branch> branches = new ArrayList<>();
    List<Statement> otherwise = List.of();
    String tag = "if";
    while (!tag.equals("endif")) {
      if (tag.equals("else")) {
        end();
        otherwise = body(Set.of("endif"));
      } else {
        Expression condition = expressions.tuple(true);
        end();
        branches.add(new Statement.Branch(condition, body(Set.of("elif", "else", "endif"))));
      }
      tag = tokens.name();
    }
    end();
    return new Statement.If(branches, otherwise);
  }

  private Statement forStatement() {
    Statement.Target target = targets();
    if (!tokens.skipName("in")) {
      throw tokens.error("expected 'in', got " + tokens.current().describe());
    }
    Expression items = expressions.tuple(false);
    Expression condition = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    end();
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.name().equals("else")) {
      end();
      otherwise = body(Set.of("endfor"));
      tokens.name();
    }
    end();
    return new Statement.For(target, items, condition, recursive, body, otherwise);
  }

  private Statement set() {
    Statement.Target target = targets();
    if (tokens.skip("=")) {
      Expression value = expressions.tuple(true);
      end();
      return new Statement.Assign(target, value);
    }
    Expression filter = filterOfBody();
    end();
    return new Statement.AssignBlock(target, filter, blockUntil("endset"));
  }

  private Expression filterOfBody() {
    return tokens.isOperator("|") ? expressions.filter(new Expression.Name(Statement.BODY)) : null;
  }

  private Statement macro() {
    String name = tokens.name();
    List<Statement.Parameter> parameters = parameters();
    end();
    int start = tokens.position();
    List<Statement> body = separateBlock("endmacro");
    Set<String> more = new HashSet<>();
    for (String kind : List.of("varargs", "kwargs")) {
      if (tokens.hasNameSince(start, kind)) {
        more.add(kind);
      }
    }
    return new Statement.Macro(name, parameters, more, body);
  }

  private Statement call() {
    List<Statement.Parameter> parameters = tokens.isOperator("(") ? parameters() : List.of();
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw tokens.error("expected call");
    }
    end();
    return new Statement.CallBlock(parameters, call, separateBlock("endcall"));
  }

  private Statement filter() {
    Expression filter = expressions.filterCall(new Expression.Name(Statement.BODY));
    filter = expressions.filter(filter);
    end();
    return new Statement.FilterBlock(filter, blockUntil("endfilter"));
  }

  private Statement with() {
    List<Statement.Assign> assignments = new ArrayList<>();
    while (tokens.current().type() != Token.Type.BLOCK_END) {
      if (!assignments.isEmpty()) {
        tokens.expect(",");
      }
      Statement.Target target = target();
      tokens.expect("=");
      assignments.add(new Statement.Assign(target, expressions.expression()));
    }
    end();
    return new Statement.With(assignments, blockUntil("endwith"));
  }

  private List<Statement.Parameter> parameters() {
    List<Statement.Parameter> parameters = new ArrayList<>();
    tokens.expect("(");
    while (!tokens.skip(")")) {
      if (!parameters.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      String name = tokens.name();
      parameters.add(
          new Statement.Parameter(name, tokens.skip("=") ? expressions.expression() : null));
    }
    return parameters;
  }

  private Statement.Target targets() {
    List<Statement.Target> targets = new ArrayList<>();
    boolean brackets = tokens.skip("(");
    targets.add(target());
    boolean several = false;
    while (tokens.skip(",")) {
      several = true;
      if (tokens.current().type() == Token.Type.NAME && !tokens.isName("in")) {
        targets.add(target());
      }
    }
    if (brackets) {
      tokens.expect(")");
    }
    return several ? new Statement.Target.Several(targets) : targets.getFirst();
  }

  private Statement.Target target() {
    String name = tokens.name();
    return tokens.skip(".")
        ? new Statement.Target.Member(name, tokens.name())
        : new Statement.Target.Variable(name);
  }

  private List<Statement> blockUntil(String end) {
    List<Statement> body = body(Set.of(end));
    tokens.name();
    end();
    return body;
  }

  /** The body of a macro, which a loop around it does not reach into. */
  private List<Statement> separateBlock(String end) {
    int outer = loops;
    loops = 0;
    List<Statement> body = blockUntil(end);
    loops = outer;
    return body;
  }

  private void end() {
    tokens.expect(Token.Type.BLOCK_END);
  }
}
