package org.llamaj.kernel.x86;

import java.util.Locale;
import java.util.Optional;

/** Instruction sets the kernels are made for, each a superset of those before it. */
enum Level {
  /** AVX2, FMA and F16C: any desktop processor since 2013. */
  AVX2("AVX2"),
  /** AVX-512 F, BW, DQ and VL. */
  AVX512("AVX-512"),
  /** And VNNI: dot products of 8-bit integers. */
  AVX512VNNI("AVX-512 VNNI");

  private final String title;

  Level(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  boolean atLeast(Level other) {
    return compareTo(other) >= 0;
  }

  /** The level of that name, in any case. */
  static Optional<Level> named(String name) {
    for (Level level : values()) {
      if (level.name().equals(name.toUpperCase(Locale.ROOT))) {
        return Optional.of(level);
      }
    }
    return Optional.empty();
  }
}
