package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.golden.LlamaCpp.Predictions;
import org.llamaj.golden.LlamaCpp;
import org.llamaj.golden.MetaForm;

/** llama.cpp reads what is written here, finds the same ids in a text and predicts the same. */
class LlamaCppTest {
  private static final int CHUNK = 64;
  private static final String TEXT =
      "Once upon a time there was a brave fox who lived in the village. A sword is 12. ".repeat(8);

  @TempDir Path folder;

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
    LlamaCpp peer = LlamaCpp.assumed();
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
    Predictions ours = LlamaCpp.ours(file, TEXT, CHUNK);
    LlamaCpp.assertSame(peer.predict(exact, TEXT, CHUNK, folder), ours);
    Predictions rounded = peer.predict(file, TEXT, CHUNK, folder);
    assertThat(rounded.ids()).isEqualTo(ours.ids());
    assertThat(rounded.perplexity()).isCloseTo(ours.perplexity(), withinPercentage(8));
  }

  @Test
  void directoriesFromMeta() throws Exception {
    LlamaCpp peer = LlamaCpp.assumed();
    Path directory = Files.createDirectory(folder.resolve("meta"));
    MetaForm.write(ConversionTest.model(), directory, 1, false);
    Path file = folder.resolve("model.gguf");
    try (Checkpoint model = Checkpoint.open(directory)) {
      Conversion.of(model).to(FileType.F32).write(file);
    }
    LlamaCpp.assertSame(peer.predict(file, TEXT, CHUNK, folder), LlamaCpp.ours(file, TEXT, CHUNK));
  }
}
