package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsOptionTest {
  @TempDir Path folder;

  @Test
  void quantisesAtLoad() {
    String model = folder.resolve("model.gguf").toString();
    String small = folder.resolve("small.gguf").toString();
    Run.of("synth", "--preset", "tiny-dense", "--type", "F16", "--out", model);
    assertThat(Run.of("quantize", model, small, "Q8_0").status()).isZero();
    Run plain = generate(small);
    Run quantised = generate(model, "--weights", "q8_0");
    assertThat(quantised.status()).isZero();
    assertThat(quantised.out()).isNotEmpty().isEqualTo(plain.out());
    assertThat(generate(small, "--weights", "Q4_0").err()).contains("found Q8_0: load the file");
    assertThat(generate(model, "--weights", "Q7").status()).isEqualTo(2);
  }

  private static Run generate(String model, String... options) {
    String[] all = new String[options.length + 8];
    String[] common = {"generate", "-m", model, "-n", "8", "--temperature", "0", "Hello"};
    System.arraycopy(common, 0, all, 0, 8);
    System.arraycopy(options, 0, all, 8, options.length);
    return Run.of(all);
  }
}
