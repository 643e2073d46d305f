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
  void takesAnImportanceMatrixOfAText() throws Exception {
    Path text = folder.resolve("text.txt");
    Path matrix = folder.resolve("imatrix.gguf");
    Files.writeString(text, "The quick brown fox jumps over the lazy dog. ".repeat(20));
    Run collected =
        Run.of(
            "imatrix",
            "-m",
            model(),
            "-f",
            text.toString(),
            "--out",
            matrix.toString(),
            "--chunk",
            "32",
            "--chunks",
            "3");
    assertThat(collected.status()).as(collected.err()).isZero();
    assertThat(collected.out()).contains("3 pieces of 32 tokens of text.txt");
    Path out = folder.resolve("out.gguf");
    Run run =
        Run.of(
            "quantize",
            folder.resolve("model-F16.gguf").toString(),
            out.toString(),
            "Q4_0",
            "--imatrix",
            matrix.toString());
    assertThat(run.status()).as(run.err()).isZero();
    try (Checkpoint written = GgufReader.open(out)) {
      assertThat(written.metadata().string("quantize.imatrix.dataset")).contains("text.txt");
    }
    Files.writeString(text, "short");
    Run wrong =
        Run.of(
            "imatrix",
            "-m",
            folder.resolve("model-F16.gguf").toString(),
            "-f",
            text.toString(),
            "--out",
            matrix.toString(),
            "--force");
    assertThat(wrong.status()).isOne();
    assertThat(wrong.err()).contains("text.txt: expected a text of at least 512 tokens");
  }

  @Test
  void progressTellsTheTimeThatIsLeft() {
    assertThat(ProgressReport.line(0.25, "4.0 GiB", 30_000_000_000L))
        .isEqualTo("25% of 4.0 GiB, 90 s left");
    assertThat(ProgressReport.line(1, "4.0 GiB", 30_000_000_000L)).isEqualTo("100% of 4.0 GiB");
  }
}
