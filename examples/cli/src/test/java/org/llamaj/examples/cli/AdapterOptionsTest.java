package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.TypeConversionException;

class AdapterOptionsTest {
  @TempDir Path folder;

  private final AdapterOptions.Converter converter = new AdapterOptions.Converter();

  @Test
  void aScaleMayFollowTheFile() throws Exception {
    assertThat(converter.convert("a.gguf"))
        .isEqualTo(new AdapterOptions.ScaledFile(Path.of("a.gguf"), 1));
    assertThat(converter.convert("a=b.gguf=-0.5"))
        .isEqualTo(new AdapterOptions.ScaledFile(Path.of("a=b.gguf"), -0.5f));
    Path odd = Files.createFile(folder.resolve("x=2"));
    assertThat(converter.convert(odd.toString())).isEqualTo(new AdapterOptions.ScaledFile(odd, 1));
    assertThatThrownBy(() -> converter.convert("a.gguf=much"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("FILE=SCALE with a number");
  }

  @Test
  void logitsChangeWithTheScaleAndNotWithoutIt() throws Exception {
    Path text = Path.of(System.getProperty("golden.dir", ""), "text");
    assumeTrue(Files.isDirectory(text), "no reference data in " + text);
    Path plain = folder.resolve("plain");
    Path zero = folder.resolve("zero");
    Path half = folder.resolve("half");
    String model = text.resolve("llama32-bpe-F32/model.gguf").toString();
    String lora = text.resolve("lora-scale1/adapter.gguf").toString();
    assertThat(logits(model, plain).status()).isZero();
    assertThat(logits(model, zero, "--lora", lora + "=0").status()).isZero();
    assertThat(logits(model, half, "--lora", lora + "=0.25", "--lora", lora + "=0.25").status())
        .isZero();
    assertThat(zero).hasSameBinaryContentAs(plain);
    assertThat(Files.mismatch(half, plain)).isNotNegative();
    Run wrong = logits(model, half, "--lora", model);
    assertThat(wrong.status()).isOne();
    assertThat(wrong.err()).contains("expected adapter, found model");
  }

  private static Run logits(String model, Path out, String... options) {
    String[] common = {"logits", "-m", model, "--tokens", "1,2,3", "--out", out.toString()};
    String[] all = Arrays.copyOf(common, common.length + options.length);
    System.arraycopy(options, 0, all, common.length, options.length);
    return Run.of(all);
  }
}
