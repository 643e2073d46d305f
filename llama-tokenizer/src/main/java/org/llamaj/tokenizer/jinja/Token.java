package org.llamaj.tokenizer.jinja;

/**
 * A token of a template.
 *
 * @param type what it is
 * @param text its text: of a string what it stands for, of anything else as written
 * @param line the line it is on, from 1
 */
record Token(Type type, String text, int line) {
  enum Type {
    /** Text outside all tags. */
    DATA,
    /** The start of a <code>{{ }}</code> tag. */
    PRINT_BEGIN,
    /** Its end. */
    PRINT_END,
    /** The start of a <code>{% %}</code> tag. */
    BLOCK_BEGIN,
    /** Its end. */
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    /** The end of the template. */
    END
  }

  boolean is(Type expected, String expectedText) {
    return type == expected && text.equals(expectedText);
  }

  /** How messages name the token. */
  String describe() {
    return switch (type) {
      case END -> "end of template";
      case PRINT_END -> "end of print statement";
      case BLOCK_END -> "end of statement block";
      default -> "'" + text + "'";
    };
  }
}
