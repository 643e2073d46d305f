package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The {@code llama-perplexity} of llama.cpp, on the path or in {@code -Dllama.cpp.bin=DIR}. */
record LlamaCpp(Path perplexity) {
  /**
   * What it predicted of a text, cut into chunks of which the second half counts.
   *
   * @param ids of the text
   * @param logProbabilities [chunk][position from the middle on][id]
   */
  record Predictions(int[] ids, float[][][] logProbabilities) {}

  static Optional<LlamaCpp> find() {
    String places = System.getProperty("llama.cpp.bin", System.getenv().getOrDefault("PATH", ""));
    return Arrays.stream(places.split(File.pathSeparator))
        .map(place -> Path.of(place, "llama-perplexity"))
        .filter(Files::isExecutable)
        .findFirst()
        .map(LlamaCpp::new);
  }

  /** Single precision wherever the file's types allow it. */
  Predictions predict(Path model, String text, int chunk, Path folder) throws Exception {
    Path input = Files.writeString(folder.resolve("text"), text);
    Path log = folder.resolve("log");
    Path found = folder.resolve("predictions");
    String options = "-c %1$d -b %1$d -t 1 -fa off -ctk f32 -ctv f32".formatted(chunk);
    String[] files = {"-m", "" + model, "-f", "" + input, "--kl-divergence-base", "" + found};
    ProcessBuilder command = new ProcessBuilder(perplexity.toString());
    command.command().addAll(Arrays.asList(options.split(" ")));
    command.command().addAll(Arrays.asList(files));
    Process process =
        command
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .redirectInput(input.toFile())
            .start();
    try {
      boolean ended = process.waitFor(2, TimeUnit.MINUTES);
      String output = Files.readString(log, StandardCharsets.UTF_8);
      assertThat(ended).as("ended: %s", output).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
    } finally {
      process.destroyForcibly();
    }
    return read(ByteBuffer.wrap(Files.readAllBytes(found)).order(ByteOrder.LITTLE_ENDIAN), chunk);
  }

  /**
   * Log-probabilities have 16 bits between the row's smallest, or its largest less 16, and that.
   */
  private static Predictions read(ByteBuffer file, int chunk) {
    byte[] magic = new byte[8];
    file.get(magic);
    assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("_logits_");
    assertThat(file.getInt()).isEqualTo(chunk);
    int vocabulary = file.getInt();
    int chunks = file.getInt();
    int[] ids = new int[chunks * chunk];
    for (int i = 0; i < ids.length; i++) ids[i] = file.getInt();
    float[][][] rows = new float[chunks][chunk - 1 - chunk / 2][vocabulary];
    for (float[][] half : rows) {
      for (float[] row : half) {
        float step = file.getFloat();
        float least = file.getFloat();
        for (int id = 0; id < vocabulary; id++) row[id] = least + step * (file.getShort() & 0xffff);
        if (vocabulary % 2 == 1) file.getShort();
      }
    }
    assertThat(file.hasRemaining()).isFalse();
    return new Predictions(ids, rows);
  }
}
