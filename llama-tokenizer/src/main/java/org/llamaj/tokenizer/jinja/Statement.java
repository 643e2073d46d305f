package org.llamaj.tokenizer.jinja;

import java.util.List;
import java.util.Set;

/** What a template does. */
sealed interface Statement {
  /** Text outside all tags. */
  record Text(String text) implements Statement {}

  /** <code>{{ a }}</code>. */
  record Print(Expression value) implements Statement {}

  /** {@code if} with its {@code elif}s. */
  record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

  /** One condition of an {@code if} and what it leads to. */
  record Branch(Expression condition, List<Statement> body) {}

  /** {@code for}; {@code condition} is null without {@code if}. */
  record For(
      Target target,
      Expression items,
      Expression condition,
      boolean recursive,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  /** {@code set a = b}. */
  record Assign(Target target, Expression value) implements Statement {}

  /** {@code set a} ... {@code endset}; {@code filter} is null or a filter on {@link #BODY}. */
  record AssignBlock(Target target, Expression filter, List<Statement> body) implements Statement {}

  /**
   * {@code macro}.
   *
   * @param more which of {@code varargs} and {@code kwargs} its body names; only then does it take
   *     arguments that it has no parameters for
   */
  record Macro(String name, List<Parameter> parameters, Set<String> more, List<Statement> body)
      implements Statement {
    boolean takesMore(String kind) {
      return more.contains(kind);
    }
  }

  /** A parameter of a macro; {@code otherwise} is null if it has no default. */
  record Parameter(String name, Expression otherwise) {}

  /** {@code call}: the body is what the called macro's {@code caller()} gives. */
  record CallBlock(List<Parameter> parameters, Expression.Call call, List<Statement> body)
      implements Statement {}

  /** {@code filter}: a filter on {@link #BODY}. */
  record FilterBlock(Expression filter, List<Statement> body) implements Statement {}

  /** {@code with}. */
  record With(List<Assign> assignments, List<Statement> body) implements Statement {}

  /** {@code generation}, which only marks its body, and other groups of statements. */
  record Group(List<Statement> body) implements Statement {}

  /** {@code break}. */
  record Break() implements Statement {}

  /** {@code continue}. */
  record Continue() implements Statement {}

  /** The variable that the filters of blocks are applied to; no template can name it. */
  String BODY = "\0body";

  /** What is assigned to. */
  sealed interface Target {
    /** A variable. */
    record Variable(String name) implements Target {}

    /** A member of a namespace. */
    record Member(String namespace, String name) implements Target {}

    /** Several at once. */
    record Several(List<Target> targets) implements Target {}
  }
}
