package org.llamaj.examples.cli;

import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Amounts of memory, for people. */
final class ByteSize {
  private ByteSize() {}

  /** For example {@code 3.5 MiB}. */
  static String of(long count) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = count;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }

  /** Reads for example {@code 500M} or {@code 4G}, in units of 1024. */
  static final class Converter implements ITypeConverter<Long> {
    private static final String UNITS = "KMGT";

    @Override
    public Long convert(String text) {
      String digits = text.toUpperCase(Locale.ROOT);
      int unit = digits.isEmpty() ? -1 : UNITS.indexOf(digits.charAt(digits.length() - 1));
      if (unit >= 0) {
        digits = digits.substring(0, digits.length() - 1);
      }
      try {
        long count = Long.parseLong(digits);
        if (count > 0) {
          return Math.multiplyExact(count, 1L << 10 * (unit + 1));
        }
      } catch (NumberFormatException | ArithmeticException e) {
        // told below
      }
      throw new TypeConversionException(
          "expected a size such as 500M or 4G, found '%s'".formatted(text));
    }
  }
}
