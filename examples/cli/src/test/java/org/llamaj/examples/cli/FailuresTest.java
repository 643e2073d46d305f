package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class FailuresTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"chat", "generate hello", "tokenize hello", "inspect", "bench"})
  void tellInOneLineThatAFileIsMissing(String command) {
    Run run = Run.of((command + " --model " + folder.resolve("none.gguf")).split(" "));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("llama: ").contains("none.gguf", "no such file");
    assertThat(run.err()).hasLineCount(1);
  }

  @Test
  void tellThatAFileIsNoModel() throws IOException {
    Path file = Files.writeString(folder.resolve("notes.txt"), "This is not a model.".repeat(9));
    Run run = Run.of("generate", "hello", "--model", file.toString());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("notes.txt").hasLineCount(1);
  }

  @Test
  void nameTheKernelsThereAre() {
    Run run = Run.of("generate", "hello", "--kernels", "abacus");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("abacus", "scalar").hasLineCount(1);
  }

  @Test
  void comeWithAStackTraceWhenAsked() {
    Run run = Run.of("generate", "hello", "--kernels", "abacus", "--verbose");
    assertThat(run.err()).contains("LlamaException", "\tat org.llamaj.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sing",
        "generate",
        "generate a --prompts b",
        "generate a --temperature warm",
        "generate a --temperature -1",
        "generate a --cache-type q9",
        "logits --tokens 1",
        "logits --out f"
      })
  void ofUsageHaveAStatusOfTheirOwn(String command) {
    Run run = Run.of(command.split(" "));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("llama: ").contains("--help");
  }

  @Test
  void withoutACommandTellWhichThereAre() {
    Run run = Run.of();
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .contains("demo", "chat", "generate", "tokenize", "inspect", "logits", "bench");
  }

  @Test
  void ofMemorySayHowToGiveMore() {
    StringWriter err = new StringWriter();
    CommandLine line = new CommandLine(new NoMemory()).setErr(new PrintWriter(err, true));
    assertThat(Llama.run(line)).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("llama: java.lang.OutOfMemoryError: none left")
        .contains("LLAMA_JAVA_OPTS=-Xmx")
        .hasLineCount(2);
  }

  @Command
  private static final class NoMemory implements Runnable {
    @Override
    public void run() {
      throw new OutOfMemoryError("none left");
    }
  }

  @Test
  void helpIsNone() {
    Run run = Run.of("bench", "--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("Usage: llama bench", "--output", "--kernels");
  }
}
