package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaException;

class SynthCommandTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"tiny-dense", "tiny-moe"})
  void writesAModelThatRuns(String preset) {
    Path file = folder.resolve("model.gguf");
    Run run = synth(preset, "q4_k_m", file);
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.err().lines()).contains("100% of " + sizeIn(run.err()));
    assertThat(run.out()).contains(file.toString(), " MiB", preset, "Q4_K_M").hasLineCount(1);
    assertThat(folder.toFile().list()).containsExactly("model.gguf");

    assertThat(Run.of("inspect", "-m", file.toString()).out())
        .contains(preset + " with random weights", "Q6_K")
        .doesNotContain("cannot run");
    Run bench = Run.of("bench", "-m", file.toString(), "-p", "3", "-n", "2", "-r", "1");
    assertThat(bench.status()).as(bench.err()).isZero();
  }

  private static String sizeIn(String progress) {
    String last = progress.lines().toList().getLast();
    return last.substring(last.indexOf(" of ") + 4);
  }

  @Test
  void repeatsItselfForASeed() throws IOException {
    Path one = folder.resolve("one.gguf");
    Path same = folder.resolve("same.gguf");
    Path other = folder.resolve("other.gguf");
    assertThat(synth("tiny-dense", "Q8_0", one).status()).isZero();
    assertThat(synth("tiny-dense", "Q8_0", same, "--seed", "1").status()).isZero();
    assertThat(synth("tiny-dense", "Q8_0", other, "--seed", "2").status()).isZero();
    assertThat(Files.mismatch(one, same)).isEqualTo(-1);
    assertThat(Files.mismatch(one, other)).isNotEqualTo(-1);
  }

  @Test
  void replacesAFileOnlyWhenForced() throws IOException {
    Path file = Files.writeString(folder.resolve("model.gguf"), "precious");
    Run refused = synth("tiny-dense", "F32", file);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("model.gguf", "--force").hasLineCount(1);
    assertThat(file).hasContent("precious");

    assertThat(synth("tiny-dense", "F32", file, "--force").status()).isZero();
    assertThat(Files.size(file)).isGreaterThan(1 << 20);
  }

  @Test
  void refusesAPlaceWhereNoFileCanBe() {
    Run missing = synth("tiny-dense", "F32", folder.resolve("none/model.gguf"));
    assertThat(missing.status()).isEqualTo(1);
    assertThat(missing.err()).contains("no such folder").hasLineCount(1);
    Run isFolder = synth("tiny-dense", "F32", folder, "--force");
    assertThat(isFolder.status()).isEqualTo(1);
    assertThat(isFolder.err()).contains("found a folder").hasLineCount(1);
  }

  @Test
  void refusesAFullDiskBeforehand() {
    Path file = Path.of("model.gguf");
    assertThatThrownBy(() -> OutputFile.requireSpace(file, 3L << 30, 2L << 20))
        .isInstanceOf(LlamaException.class)
        .hasMessage("model.gguf: expected 3.0 GiB of free space on its disk, found 2.0 MiB");
    assertThatCode(() -> OutputFile.requireSpace(file, 5, 5)).doesNotThrowAnyException();
  }

  @Test
  void makesATargetAndADraftThatAgree() {
    Path target = folder.resolve("target.gguf");
    Path draft = folder.resolve("draft.gguf");
    assertThat(synth("tiny-dense", "Q4_0", target, "--effective-layers", "2").status()).isZero();
    assertThat(synth("tiny-dense", "Q4_0", draft, "--layers", "2").status()).isZero();
    assertThat(text(target)).isNotEmpty().isEqualTo(text(draft));
    Run refused = synth("tiny-dense", "Q4_0", target, "--force", "--effective-layers", "9");
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err()).contains("expected 1 to 4, found 9");
  }

  private static String text(Path file) {
    Run run = Run.of("generate", "-m", file.toString(), "--temperature", "0", "-n", "12", "once");
    assertThat(run.status()).as(run.err()).isZero();
    return run.out();
  }

  @Test
  void namesThePresetsThereAre() {
    Run run = synth("llama-9", "F32", folder.resolve("model.gguf"));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("llama-9", "llama-3.2-1b", "tiny-moe", "llama synth --help");
    assertThat(Run.of("synth", "--help").out()).contains("llama-4-scout-small", "IQ4_XS");
  }

  @Test
  void namesTheTypesThereAre() {
    Run run = synth("tiny-dense", "Q9", folder.resolve("model.gguf"));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("Q9", "Q4_K_M");
  }

  private static Run synth(String preset, String type, Path file, String... more) {
    String[] arguments = new String[7 + more.length];
    String[] first = {"synth", "--preset", preset, "--type", type, "--out", file.toString()};
    System.arraycopy(first, 0, arguments, 0, first.length);
    System.arraycopy(more, 0, arguments, first.length, more.length);
    return Run.of(arguments);
  }
}
