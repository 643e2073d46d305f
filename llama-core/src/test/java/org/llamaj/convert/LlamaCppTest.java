package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.LlamaCpp.Predictions;
import org.llamaj.golden.MetaForm;
import org.llamaj.kernel.CacheType;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;

/** llama.cpp reads what is written here, finds the same ids in a text and predicts the same. */
class LlamaCppTest {
  private static final int CHUNK = 64;
  private static final String TEXT =
      "Once upon a time there was a brave fox who lived in the village. A sword is 12. ".repeat(8);

  /** Half a step of the 16 bits that llama.cpp writes is 1.3e-4. */
  private static final double EXACT = 5e-4;

  @TempDir Path folder;

  private static LlamaCpp llamaCpp() {
    assumeTrue(LlamaCpp.find().isPresent(), "no llama.cpp: -Dllama.cpp.bin=DIR");
    return LlamaCpp.find().orElseThrow();
  }

  /**
   * llama.cpp rounds activations to 8 bits where weights are quantised, which moves the perplexity
   * of so small a model by some per cent. So it also gets the same weights as single precision,
   * where it rounds nothing: then both have to agree.
   */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"Q2_K_S", "Q3_K_S", "Q3_K_L", "Q4_K_S", "Q5_K_S"}) // the same formats again
  void directoriesFromHuggingFaceInEachType(FileType type) throws Exception {
    LlamaCpp peer = llamaCpp();
    Path directory =
        Path.of(System.getProperty("golden.dir", ""), "..", "demo-model", "hf").normalize();
    assumeTrue(Files.isDirectory(directory), "no reference data in " + directory);
    Path file = folder.resolve("model.gguf");
    Path exact = folder.resolve("exact.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(type).write(file);
    }
    try (Checkpoint model = Checkpoint.open(file)) {
      Conversion.of(model).to(FileType.F32).requantize().write(exact);
    }
    Predictions ours = ours(file);
    assertSame(peer.predict(exact, TEXT, CHUNK, folder), ours);
    Predictions rounded = peer.predict(file, TEXT, CHUNK, folder);
    assertThat(rounded.ids()).isEqualTo(ours.ids());
    assertThat(perplexity(rounded)).isCloseTo(perplexity(ours), withinPercentage(8));
  }

  @Test
  void directoriesFromMeta() throws Exception {
    LlamaCpp peer = llamaCpp();
    Path directory = Files.createDirectory(folder.resolve("meta"));
    MetaForm.write(ConversionTest.model(), directory, 1, false);
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    assertSame(peer.predict(file, TEXT, CHUNK, folder), ours(file));
  }

  private static void assertSame(Predictions theirs, Predictions ours) {
    assertThat(theirs.ids()).isEqualTo(ours.ids()).hasSizeGreaterThanOrEqualTo(2 * CHUNK);
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
    assertThat(perplexity(theirs)).isCloseTo(perplexity(ours), withinPercentage(0.01));
  }

  private static double perplexity(Predictions text) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < text.logProbabilities().length; i++) {
      for (int j = 0; j < text.logProbabilities()[i].length; j++) {
        sum -= text.logProbabilities()[i][j][text.ids()[i * CHUNK + CHUNK / 2 + j + 1]];
        count++;
      }
    }
    return Math.exp(sum / count);
  }

  /** Each chunk by itself and begun with the first id of the text. */
  private static Predictions ours(Path file) {
    try (LlamaModel model =
        LlamaModel.builder(file).kernels("scalar").cacheType(CacheType.F32).threads(2).load()) {
      int[] ids = model.tokenizer().encodePrompt(TEXT, SpecialTokens.none());
      float[][][] rows = new float[ids.length / CHUNK][CHUNK - 1 - CHUNK / 2][];
      for (int i = 0; i < rows.length; i++) {
        try (Sequence sequence = model.transformer().newSequence()) {
          Batch batch = model.transformer().newBatch();
          for (int j = 0; j < CHUNK; j++) {
            batch.add(sequence, j == 0 ? ids[0] : ids[i * CHUNK + j]);
            batch.wantLogits();
          }
          model.transformer().forward(batch);
          for (int j = 0; j < rows[i].length; j++) {
            rows[i][j] = logProbabilities(batch.logits(CHUNK / 2 + j));
          }
        }
      }
      return new Predictions(Arrays.copyOf(ids, rows.length * CHUNK), rows);
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
