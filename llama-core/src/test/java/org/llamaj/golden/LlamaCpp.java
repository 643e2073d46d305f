package org.llamaj.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.CacheType;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * The {@code llama-perplexity} of llama.cpp, on the path or in {@code -Dllama.cpp.bin=DIR}.
 *
 * @param perplexity the program
 */
public record LlamaCpp(Path perplexity) {
  /** Half a step of the 16 bits that llama.cpp writes is 1.3e-4. */
  private static final double EXACT = 5e-4;

  /**
   * What it predicted of a text, cut into chunks of which the second half counts.
   *
   * @param ids of the text
   * @param logProbabilities [chunk][position from the middle on][id]
   */
  public record Predictions(int[] ids, float[][][] logProbabilities) {
    private int chunk() {
      return ids.length / logProbabilities.length;
    }

    /** {@return that of the second halves of all chunks} */
    public double perplexity() {
      double sum = 0;
      int count = 0;
      for (int i = 0; i < logProbabilities.length; i++) {
        for (int j = 0; j < logProbabilities[i].length; j++) {
          sum -= logProbabilities[i][j][ids[i * chunk() + chunk() / 2 + j + 1]];
          count++;
        }
      }
      return Math.exp(sum / count);
    }
  }

  /** {@return the program; without it, the test is skipped} */
  public static LlamaCpp assumed() {
    assumeTrue(find().isPresent(), "no llama.cpp: -Dllama.cpp.bin=DIR");
    return find().orElseThrow();
  }

  private static Optional<LlamaCpp> find() {
    String places = System.getProperty("llama.cpp.bin", System.getenv().getOrDefault("PATH", ""));
    return Arrays.stream(places.split(File.pathSeparator))
        .map(place -> Path.of(place, "llama-perplexity"))
        .filter(Files::isExecutable)
        .findFirst()
        .map(LlamaCpp::new);
  }

  /**
   * Predicts, in single precision wherever the file's types allow it.
   *
   * @param model a file
   * @param text cut into chunks
   * @param chunk ids
   * @param folder for what the program reads and writes
   * @return what it predicted
   */
  public Predictions predict(Path model, String text, int chunk, Path folder) throws Exception {
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
      boolean ended = process.waitFor(20, TimeUnit.MINUTES);
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

  /**
   * The same ids, and the same probabilities of each id at each position.
   *
   * @param theirs of {@link #predict}, with single precision throughout
   * @param ours of {@link #ours}
   */
  public static void assertSame(Predictions theirs, Predictions ours) {
    assertThat(theirs.ids()).isEqualTo(ours.ids()).hasSizeGreaterThanOrEqualTo(2 * ours.chunk());
    double largest = 0;
    for (int i = 0; i < ours.logProbabilities().length; i++) {
      for (int j = 0; j < ours.logProbabilities()[i].length; j++) {
        float[] their = theirs.logProbabilities()[i][j];
        float[] our = ours.logProbabilities()[i][j];
        float least = Float.POSITIVE_INFINITY; // theirs end 16 below the largest
        for (float value : their) least = Math.min(least, value);
        for (int id = 0; id < our.length; id++) {
          our[id] = Math.max(our[id], least);
          largest = Math.max(largest, Math.abs(their[id] - our[id]));
        }
      }
    }
    assertThat(largest).isLessThan(EXACT);
    assertThat(theirs.perplexity()).isCloseTo(ours.perplexity(), withinPercentage(0.01));
  }

  /**
   * What we predict: each chunk by itself, and begun with the id that begins texts if they have
   * one.
   *
   * @param file a model
   * @param text cut into chunks
   * @param chunk ids
   */
  public static Predictions ours(Path file, String text, int chunk) {
    try (LlamaModel model =
        LlamaModel.builder(file).kernels("scalar").cacheType(CacheType.F32).threads(2).load()) {
      int[] ids = model.tokenizer().encodePrompt(text, SpecialTokens.none());
      boolean begun = model.tokenizer().bos().equals(OptionalInt.of(ids[0]));
      float[][][] rows = new float[ids.length / chunk][chunk - 1 - chunk / 2][];
      for (int i = 0; i < rows.length; i++) {
        try (Sequence sequence = model.transformer().newSequence()) {
          Batch batch = model.transformer().newBatch();
          for (int j = 0; j < chunk; j++) {
            batch.add(sequence, j == 0 && begun ? ids[0] : ids[i * chunk + j]);
            batch.wantLogits();
          }
          model.transformer().forward(batch);
          for (int j = 0; j < rows[i].length; j++) {
            rows[i][j] = logProbabilities(batch.logits(chunk / 2 + j));
          }
        }
      }
      return new Predictions(Arrays.copyOf(ids, rows.length * chunk), rows);
    }
  }

  private static float[] logProbabilities(float[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) largest = Math.max(largest, logit);
    double total = 0;
    for (float logit : logits) total += Math.exp(logit - largest);
    float[] result = new float[logits.length];
    for (int id = 0; id < result.length; id++) {
      result[id] = (float) (logits[id] - largest - Math.log(total));
    }
    return result;
  }
}
