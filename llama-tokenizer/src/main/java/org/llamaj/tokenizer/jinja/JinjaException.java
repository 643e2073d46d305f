package org.llamaj.tokenizer.jinja;

/** Says why a template cannot be parsed or rendered. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The kinds of failure that Jinja tells apart. */
  public enum Kind {
    /** The template is not well-formed, or names a filter, test or tag that does not exist. */
    SYNTAX,
    /** The template uses a value that is not there. */
    UNDEFINED,
    /** The template tries to change a value or to get at what it must not see. */
    SECURITY,
    /** Any other failure, and exceeded limits. */
    RUNTIME,
    /** The template called {@code raise_exception}. */
    RAISED
  }

  private final Kind kind;

  JinjaException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  static JinjaException syntax(int line, String message) {
    return new JinjaException(Kind.SYNTAX, "line %d: %s".formatted(line, message));
  }

  static JinjaException runtime(String message) {
    return new JinjaException(Kind.RUNTIME, message);
  }

  /** What kind of failure it is. */
  public Kind kind() {
    return kind;
  }
}
