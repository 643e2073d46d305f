package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.golden.MetaForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/**
 * llama.cpp reads what is written here and finds the same perplexity. Needs its binaries, on the
 * path or in {@code -Dllama.cpp.bin=DIR}.
 */
class LlamaCppTest {
  private static final int CHUNK = 64;

  /** After how many chunks, and what it was so far; the last ones may be lost at its exit. */
  private static final Pattern PERPLEXITY = Pattern.compile("\\[(\\d+)]([0-9.]+),");

  private static final String TEXT =
      "Once upon a time there was a brave fox who lived in the village. A sword is 12. ".repeat(16);

  @TempDir Path folder;

  private static Path tool() {
    String places = System.getProperty("llama.cpp.bin", System.getenv().getOrDefault("PATH", ""));
    return Arrays.stream(places.split(File.pathSeparator))
        .map(place -> Path.of(place, "llama-perplexity"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  private static Path model() {
    assumeTrue(tool() != null, "no llama.cpp: -Dllama.cpp.bin=DIR");
    Path directory =
        Path.of(System.getProperty("golden.dir", ""), "..", "demo-model", "hf").normalize();
    assumeTrue(Files.isDirectory(directory), "no reference data in " + directory);
    return directory;
  }

  /**
   * llama.cpp rounds activations to 8 bits where weights are quantised, which moves the perplexity
   * of so small a model by some per cent. So it gets the same weights as single precision, where it
   * rounds nothing: then both have to agree in all digits that it prints.
   */
  @ParameterizedTest
  @EnumSource(
      names = {
        "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_M", "Q4_K_M",
        "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS"
      })
  void perplexityIsTheSame(FileType type) throws Exception {
    Path directory = model();
    Path file = folder.resolve("model.gguf");
    Path exact = folder.resolve("exact.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(type).write(file);
    }
    try (Checkpoint model = Checkpoint.open(file)) {
      Conversion.of(model).to(FileType.F32).requantize().write(exact);
    }
    double[] ours = ours(file);
    assertClose(theirs(exact), ours, 0.01);
    assertClose(theirs(file), ours, 8);
  }

  @Test
  void sentencePieceVocabulariesAreReadToo() throws Exception {
    model();
    Path directory = Files.createDirectory(folder.resolve("meta"));
    MetaForm.write(ConversionTest.model(), directory, 1, false);
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    assertClose(theirs(file), ours(file), 0.01);
  }

  /** Perplexities so far, by chunk. */
  private static void assertClose(double[] theirs, double[] ours, double percent) {
    assertThat(theirs.length).isBetween(2, ours.length);
    for (int i = 0; i < theirs.length; i++) {
      assertThat(theirs[i]).as("chunk %d", i).isCloseTo(ours[i], withinPercentage(percent));
    }
  }

  private double[] theirs(Path file) throws Exception {
    Path text = Files.writeString(folder.resolve("text"), TEXT);
    List<String> command =
        List.of(
            tool().toString(),
            "-m",
            file.toString(),
            "-f",
            text.toString(),
            "-c",
            "" + CHUNK,
            "-b",
            "" + CHUNK,
            "-t",
            "1",
            "-fa",
            "off",
            "-ctk",
            "f32",
            "-ctv",
            "f32");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    Matcher found = PERPLEXITY.matcher(output);
    double[] soFar = {};
    while (found.find()) {
      assertThat(Integer.parseInt(found.group(1))).isEqualTo(soFar.length + 1);
      soFar = Arrays.copyOf(soFar, soFar.length + 1);
      soFar[soFar.length - 1] = Double.parseDouble(found.group(2));
    }
    return soFar;
  }

  /**
   * As llama-perplexity: chunks that begin with the first token, the second half of each counts.
   */
  private static double[] ours(Path file) {
    try (LlamaModel model =
        LlamaModel.builder(file).kernels("scalar").cacheType(CacheType.F32).threads(2).load()) {
      int[] ids = model.tokenizer().encodePrompt(TEXT, SpecialTokens.none());
      double[] soFar = new double[ids.length / CHUNK];
      double sum = 0;
      int count = 0;
      for (int from = 0; from + CHUNK <= ids.length; from += CHUNK) {
        try (Sequence sequence = model.transformer().newSequence()) {
          Batch batch = model.transformer().newBatch();
          for (int i = 0; i < CHUNK; i++) {
            batch.add(sequence, i == 0 ? ids[0] : ids[from + i]);
            batch.wantLogits();
          }
          model.transformer().forward(batch);
          for (int i = CHUNK / 2; i < CHUNK - 1; i++) {
            sum -= logProbability(batch.logits(i), ids[from + i + 1]);
            count++;
          }
        }
        soFar[from / CHUNK] = Math.exp(sum / count);
      }
      return soFar;
    }
  }

  private static double logProbability(float[] logits, int id) {
    double largest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) largest = Math.max(largest, logit);
    double total = 0;
    for (float logit : logits) total += Math.exp(logit - largest);
    return logits[id] - largest - Math.log(total);
  }
}
