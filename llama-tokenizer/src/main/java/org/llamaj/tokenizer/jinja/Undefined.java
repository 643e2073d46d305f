package org.llamaj.tokenizer.jinja;

/**
 * What a variable or member that does not exist evaluates to. It prints as nothing, is false and
 * has no items; anything else done with it fails as told here.
 *
 * @param kind the kind of failure
 * @param message its message
 */
record Undefined(JinjaException.Kind kind, String message) {
  static Undefined variable(String name) {
    return new Undefined(JinjaException.Kind.UNDEFINED, "'%s' is undefined".formatted(name));
  }

  static Undefined member(Object owner, Object key) {
    return new Undefined(
        JinjaException.Kind.UNDEFINED,
        "'%s' has no attribute or item '%s'".formatted(Values.typeName(owner), key));
  }

  static Undefined unsafe(Object owner, String name) {
    return new Undefined(
        JinjaException.Kind.SECURITY,
        "access to attribute '%s' of '%s' is unsafe".formatted(name, Values.typeName(owner)));
  }

  JinjaException failure() {
    return new JinjaException(kind, message);
  }

  /** A value, unless it is undefined. */
  static Object require(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.failure();
    }
    return value;
  }
}
