package org.llamaj.kernel.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Kernels that are compiled together: those on activations, or those of one weight format. A model
 * needs the units of its formats only.
 *
 * @param name of the unit
 * @param prologue what comes before the files
 * @param files resources, in this order
 */
record KernelUnit(String name, String prologue, List<String> files) {

  /** Operations on activations, and attention. */
  static final KernelUnit ACTIVATIONS =
      new KernelUnit(
          "activations",
          "",
          List.of(
              "primitives.cuh",
              "types.cuh",
              "formats.cuh",
              "rows.cu",
              "pages.cuh",
              "attention.cu",
              "prompt_attention.cu",
              "best.cu"));

  /** Choosing experts. */
  static final KernelUnit MIXTURE =
      new KernelUnit("mixture", "", List.of("primitives.cuh", "types.cuh", "mixture.cu"));

  /** Products with weights of one format. */
  static KernelUnit products(WeightFormat format) {
    return new KernelUnit(
        "products-" + format,
        "#define FORMAT " + format + "\n",
        List.of("primitives.cuh", "types.cuh", "formats.cuh", "matrix.cu"));
  }

  /** All units. */
  static Stream<KernelUnit> all() {
    return Stream.concat(
        Stream.of(ACTIVATIONS, MIXTURE),
        Arrays.stream(WeightFormat.values()).map(KernelUnit::products));
  }

  /** The whole source. */
  String source() {
    return prologue + files.stream().map(KernelUnit::read).collect(Collectors.joining());
  }

  /** Where the unit is found compiled ahead. */
  String ptxResource() {
    return "ptx/%s.ptx.gz".formatted(name);
  }

  static String read(String file) {
    try (InputStream in = KernelUnit.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
