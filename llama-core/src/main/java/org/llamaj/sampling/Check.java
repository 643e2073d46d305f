package org.llamaj.sampling;

/** Checks the numbers of a step. */
final class Check {
  private Check() {}

  static void that(boolean valid, String name, String expected, Object found) {
    if (!valid) {
      throw new IllegalArgumentException(
          "%s: expected %s, found %s".formatted(name, expected, found));
    }
  }
}
