package org.llamaj.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.ModelBuilder;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.CheckpointException;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;
import org.llamaj.tokenizer.SpecialTokens;
import org.llamaj.tokenizer.Tokenizer;

/** Importance matrices, against the files that llama-imatrix wrote for the same text. */
class ImportanceTest {
  private static final int CHUNK = 64;
  private static final int CHUNKS = 4;

  @TempDir Path folder;

  private static Path resource(String name) throws Exception {
    return Path.of(ImportanceTest.class.getResource("/imatrix/" + name).toURI());
  }

  private static ModelBuilder model(String kernels) throws Exception {
    return LlamaModel.builder(ConversionTest.model())
        .kernels(kernels)
        .cacheType(CacheType.F32)
        .threads(2);
  }

  private static ImportanceMatrix collect(ModelBuilder model) throws Exception {
    String text = Files.readString(resource("text.txt"));
    return ImportanceMatrix.collect(model, text, "text.txt", CHUNK, CHUNKS, (_, _) -> {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "vector"})
  void valuesAreThoseOfTheReference(String kernels) throws Exception {
    Path file = folder.resolve("out.gguf");
    collect(model(kernels)).write(file);
    try (Checkpoint found = Checkpoint.open(file);
        Checkpoint expected = Checkpoint.open(resource("llama2-spm-F32.gguf"))) {
      assertThat(names(found)).containsExactlyInAnyOrderElementsOf(names(expected));
      for (Tensor tensor : expected.tensors()) {
        float[] values = found.tensor(tensor.name()).toFloats();
        float[] wanted = tensor.toFloats();
        assertThat(values).as(tensor.name()).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
          assertThat(values[i])
              .as("%s %d", tensor.name(), i)
              .isCloseTo(wanted[i], within(2e-4f * (1 + wanted[i])));
        }
      }
      for (String key : List.of("imatrix.chunk_count", "imatrix.chunk_size", "general.type")) {
        assertThat(found.metadata().values().get(key).toString())
            .isEqualTo(expected.metadata().values().get(key).toString());
      }
    }
  }

  /** The first layer's input is the embedding, normalised: computed here from the file alone. */
  @Test
  void theFirstLayersSumsAreThoseOfNormalisedEmbeddings() throws Exception {
    ImportanceMatrix matrix = collect(model("scalar"));
    matrix.write(folder.resolve("out.gguf"));
    try (Checkpoint written = Checkpoint.open(folder.resolve("out.gguf"));
        Checkpoint model = Checkpoint.open(ConversionTest.model())) {
      Tokenizer tokenizer = model.tokenizer();
      int[] ids =
          tokenizer.encodePrompt(Files.readString(resource("text.txt")), SpecialTokens.none());
      float[] norm = model.tensor("blk.0.attn_norm.weight").toFloats();
      double eps = model.metadata().requireNumber("llama.attention.layer_norm_rms_epsilon");
      double[] sums = new double[norm.length];
      for (int i = 0; i < CHUNK * CHUNKS; i++) {
        int id = i % CHUNK == 0 ? tokenizer.bos().getAsInt() : ids[i];
        float[] x = model.tensor("token_embd.weight").rowAsFloats(id);
        double square = 0;
        for (float value : x) square += (double) value * value;
        for (int j = 0; j < sums.length; j++) {
          sums[j] += Math.pow(x[j] * norm[j], 2) / (square / x.length + eps);
        }
      }
      for (String name : List.of("attn_q", "attn_k", "attn_v")) {
        float[] found = written.tensor("blk.0." + name + ".weight.in_sum2").toFloats();
        for (int j = 0; j < sums.length; j++) {
          assertThat((double) found[j]).isCloseTo(sums[j], within(1e-5 * (1 + sums[j])));
        }
        assertThat(written.tensor("blk.0." + name + ".weight.counts").toFloats())
            .containsExactly(CHUNK * CHUNKS);
      }
    }
  }

  @Test
  void olderFilesSayTheSame() throws Exception {
    ImportanceMatrix old = ImportanceMatrix.read(resource("llama2-spm-F32.dat"));
    ImportanceMatrix now = ImportanceMatrix.read(resource("llama2-spm-F32.gguf"));
    assertThat(old.size()).isEqualTo(now.size());
    assertThat(old.chunks()).isEqualTo(CHUNKS);
    try (Checkpoint model = Checkpoint.open(ConversionTest.model())) {
      for (Tensor tensor : model.tensors()) {
        assertThat(old.find(tensor.name()).isPresent())
            .as(tensor.name())
            .isEqualTo(now.find(tensor.name()).isPresent());
        if (now.find(tensor.name()).isEmpty()) continue;
        float[] expected = now.find(tensor.name()).orElseThrow();
        float[] found = old.find(tensor.name()).orElseThrow();
        for (int i = 0; i < expected.length; i++) {
          assertThat(found[i]).isCloseTo(expected[i], within(1e-5f * (1 + expected[i])));
        }
      }
      old.requireFit(model.descriptions(), "model");
    }
  }

  @Test
  void damagedFilesAreRefused() throws Exception {
    byte[] good = Files.readAllBytes(resource("llama2-spm-F32.dat"));
    Path file = folder.resolve("bad.dat");
    for (int length : new int[] {0, 3, 4, 11, 30, 600, good.length - 300}) {
      Files.write(file, java.util.Arrays.copyOf(good, length));
      assertThatThrownBy(() -> ImportanceMatrix.read(file)).isInstanceOf(CheckpointException.class);
    }
    for (int value : new int[] {-1, 0, Integer.MAX_VALUE}) {
      for (int place : new int[] {0, 4}) {
        ByteBuffer bytes = ByteBuffer.wrap(good.clone()).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, bytes.putInt(place, value).array());
        assertThatThrownBy(() -> ImportanceMatrix.read(file))
            .isInstanceOf(CheckpointException.class);
      }
    }
  }

  @Test
  void importanceMakesErrorsSmallerWhereItCounts() throws Exception {
    ImportanceMatrix matrix = collect(model("vector"));
    Path with = folder.resolve("with.gguf");
    Path without = folder.resolve("without.gguf");
    try (Checkpoint model = Checkpoint.open(ConversionTest.model())) {
      Conversion.of(model).to(FileType.Q4_0).importance(matrix).write(with);
      Conversion.of(model).to(FileType.Q4_0).write(without);
      double errorWith = error(model, with, matrix);
      double errorWithout = error(model, without, matrix);
      assertThat(errorWith).isLessThan(0.99 * errorWithout);
    }
  }

  /** The weighted squared error of all matrices. */
  private static double error(Checkpoint model, Path file, ImportanceMatrix matrix) {
    double error = 0;
    try (Checkpoint quantised = Checkpoint.open(file)) {
      for (Tensor tensor : model.tensors()) {
        float[] weights = matrix.find(tensor.name()).orElse(null);
        if (weights == null) continue;
        float[] expected = tensor.toFloats();
        float[] found = quantised.tensor(tensor.name()).toFloats();
        for (int i = 0; i < expected.length; i++) {
          error += weights[i % weights.length] * Math.pow(expected[i] - found[i], 2);
        }
      }
    }
    return error;
  }

  @Test
  void progressIsToldAndShortTextsAreRefused() throws Exception {
    List<String> told = new ArrayList<>();
    String text = Files.readString(resource("text.txt"));
    ImportanceMatrix.collect(
        model("vector"), text, "it", 32, 3, (done, of) -> told.add(done + "/" + of));
    assertThat(told).containsExactly("1/3", "2/3", "3/3");
    assertThatThrownBy(
            () -> ImportanceMatrix.collect(model("vector"), "short", "it", 64, 3, (_, _) -> {}))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("it: expected a text of at least 64 tokens, found");
  }

  private static List<String> names(Checkpoint checkpoint) throws IOException {
    return checkpoint.tensors().stream().map(Tensor::name).toList();
  }
}
