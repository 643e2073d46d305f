package org.llamaj.examples.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads whole numbers that may end in k, M, G or T: powers of 1024, as contexts and memory have.
 */
final class BinaryNumber {
  private static final Pattern FORM = Pattern.compile("(\\d{1,18})([kKmMgGtT]?)(?:i?[bB])?");
  private static final String SUFFIXES = "kmgt";

  private BinaryNumber() {}

  /** For options of type {@code Long}: {@code 512}, {@code 4G}, {@code 4GiB}. */
  static final class OfLong implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return parse(text);
    }
  }

  /** For options of type {@code Integer}: {@code 512}, {@code 128k}, {@code 10M}. */
  static final class OfInteger implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      long value = parse(text);
      if (value > Integer.MAX_VALUE) {
        throw new TypeConversionException(
            "expected at most %d, found '%s'".formatted(Integer.MAX_VALUE, text));
      }
      return (int) value;
    }
  }

  private static long parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new TypeConversionException(
          "expected a whole number such as 4096, 128k or 10M, found '%s'".formatted(text));
    }
    int power = SUFFIXES.indexOf(matcher.group(2).toLowerCase(java.util.Locale.ROOT)) + 1;
    long factor = matcher.group(2).isEmpty() ? 1 : 1L << (10 * power);
    try {
      return Math.multiplyExact(Long.parseLong(matcher.group(1)), factor);
    } catch (ArithmeticException e) {
      throw new TypeConversionException("'%s' is too large a number".formatted(text));
    }
  }
}
