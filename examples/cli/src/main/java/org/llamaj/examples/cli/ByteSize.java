package org.llamaj.examples.cli;

import java.util.Locale;

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
}
