package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in a JVM of its own, started without flags. */
class LlamaTest {
  @TempDir Path folder;

  @Test
  void startsAgainWithTheFlagsThatTheVectorApiNeeds() throws Exception {
    Run run = start("generate", "Once", "-n", "1", "--temperature", "0", "--kernels", "vector");
    assertThat(run.err()).doesNotContain("--add-modules");
    assertThat(run.status()).isZero();
    assertThat(run.out().strip()).isNotEmpty();
  }

  @Test
  void endsWithTheStatusOfTheCommand() throws Exception {
    assertThat(start("tokenize", "--model", "none.gguf").status()).isEqualTo(1);
    assertThat(start("tokenize", "--nonsense").status()).isEqualTo(2);
  }

  @Test
  void printsUtf8WhateverTheLocale() throws Exception {
    Run run = start("inspect", "--key", "tokenizer.ggml.merges");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("\"Ġ t\"");
  }

  @Test
  void tellsItsVersion() throws Exception {
    Run run = start("--version");
    assertThat(run.out()).containsPattern("^llama [0-9]+\\.[0-9]+").contains("25");
  }

  private Run start(String... arguments) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(jar().toString());
    command.add(Llama.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("LC_ALL", "C");
    int status = builder.start().waitFor();
    return new Run(
        status,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  /** A jar that stands for all jars and folders of the class path. */
  private Path jar() throws IOException {
    Manifest manifest = new Manifest();
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" "));
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classPath);
    Path jar = folder.resolve("llama.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }
}
