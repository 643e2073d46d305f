package org.llamaj.kernel.x86.machine;

import java.util.Comparator;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Sets of instructions the kernels are made for, from the least to the best. */
public enum Level {
  /** Any desktop processor since 2013. */
  AVX2("AVX2", Feature.AVX2),
  /** Desktop processors since 2021, which have no AVX-512. */
  AVXVNNI("AVX-VNNI", Feature.AVX2, Feature.AVX_VNNI),
  /** The first servers with AVX-512. */
  AVX512("AVX-512", Feature.AVX2, Feature.AVX512),
  /** Intel since Cascade Lake and Ice Lake. */
  AVX512VNNI("AVX-512 VNNI", Feature.AVX2, Feature.AVX512, Feature.AVX512_VNNI),
  /** AMD since Zen 4. */
  AVX512BF16(
      "AVX-512 VNNI and BF16",
      Feature.AVX2,
      Feature.AVX512,
      Feature.AVX512_VNNI,
      Feature.AVX512_BF16),
  /** Intel's servers since Sapphire Rapids. */
  AMX(
      "AMX BF16, AVX-512 VNNI",
      Feature.AVX2,
      Feature.AVX512,
      Feature.AVX512_VNNI,
      Feature.AVX512_BF16,
      Feature.AMX_BF16);

  private final String title;
  private final Set<Feature> features;

  Level(String title, Feature first, Feature... others) {
    this.title = title;
    features = EnumSet.of(first, others);
  }

  /** The name for people. */
  public String title() {
    return title;
  }

  /** Whether code of this level may use the feature. */
  public boolean has(Feature feature) {
    return features.contains(feature);
  }

  /** Whether a processor with these features runs code of this level. */
  public boolean runsOn(Set<Feature> processor) {
    return processor.containsAll(features);
  }

  /** The best level for a processor. */
  public static Optional<Level> best(Set<Feature> processor) {
    return Stream.of(values())
        .filter(level -> level.runsOn(processor))
        .max(Comparator.naturalOrder());
  }

  /** The level of that name, in any case. */
  public static Optional<Level> named(String name) {
    return Stream.of(values())
        .filter(level -> level.name().equals(name.toUpperCase(Locale.ROOT)))
        .findAny();
  }
}
