package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.GgufReader;

class QuantizeCommandTest {
  @TempDir Path folder;

  private String model() {
    Path file = folder.resolve("model-F16.gguf");
    Run.of("synth", "--preset", "tiny-dense", "--type", "F16", "--out", file.toString());
    return file.toString();
  }

  @Test
  void writesAModelThatIsSmaller() throws Exception {
    Path out = folder.resolve("model-Q4_0.gguf");
    Run run = Run.of("quantize", model(), out.toString(), "q4_0", "--threads", "2");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("model-Q4_0.gguf: ").contains("bits per weight");
    assertThat(Files.size(out)).isLessThan(Files.size(folder.resolve("model-F16.gguf")) / 2);
    Run twice = Run.of("quantize", model(), out.toString(), "q4_0");
    assertThat(twice.status()).isOne();
    assertThat(twice.err()).contains("--force replaces it");
  }

  @Test
  void splitsByAskedSize() {
    Path out = folder.resolve("model.gguf");
    Run run = Run.of("quantize", model(), out.toString(), "Q8_0", "--split-max-size", "100K");
    assertThat(run.out()).contains("model-00001-of-0").contains(" more: ");
    String first = run.out().substring(0, run.out().indexOf(" and "));
    try (Checkpoint model = GgufReader.open(Path.of(first))) {
      assertThat(model.files().size()).isGreaterThan(1);
    }
    Run wrong = Run.of("quantize", model(), out.toString(), "Q8_0", "--split-max-size", "x");
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.err()).contains("expected a size such as 500M or 4G, found 'x'");
  }

  @Test
  void progressTellsTheTimeThatIsLeft() {
    assertThat(ProgressReport.line(0.25, 4L << 30, 30_000_000_000L))
        .isEqualTo("25% of 4.0 GiB, 90 s left");
    assertThat(ProgressReport.line(1, 4L << 30, 30_000_000_000L)).isEqualTo("100% of 4.0 GiB");
  }
}
