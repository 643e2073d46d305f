package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.Checkpoint;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.convert.Conversion;
import org.llamaj.convert.ImportanceMatrix;
import org.llamaj.golden.GoldenCase;
import org.llamaj.kernel.CacheType;
import org.llamaj.tensor.Tensor;

/** Sums and counts of each expert, against the files that llama-imatrix wrote for the same text. */
class ImportanceOfExpertsTest {
  @TempDir Path folder;

  private static Path resource(String name) throws Exception {
    return Path.of(ImportanceOfExpertsTest.class.getResource("/imatrix/" + name).toURI());
  }

  private static GoldenCase golden(String name) {
    return GoldenCase.all("text", ImportanceOfExpertsTest.class).stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static ImportanceMatrix collect(String name) throws Exception {
    return ImportanceMatrix.collect(
        LlamaModel.builder(golden(name).model())
            .kernels("scalar")
            .cacheType(CacheType.F32)
            .threads(2),
        Files.readString(resource("text.txt")),
        "text.txt",
        64,
        4,
        (_, _) -> {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixtral-F32", "llama4-scout-F32"})
  void valuesAreThoseOfTheReference(String name) throws Exception {
    Path file = folder.resolve("out.gguf");
    collect(name).write(file);
    try (Checkpoint found = Checkpoint.open(file);
        Checkpoint expected = Checkpoint.open(resource(name + ".gguf"))) {
      assertThat(found.tensors().stream().map(Tensor::name))
          .containsExactlyInAnyOrderElementsOf(
              expected.tensors().stream().map(Tensor::name).toList());
      for (Tensor tensor : expected.tensors()) {
        float[] values = found.tensor(tensor.name()).toFloats();
        float[] wanted = tensor.toFloats();
        assertThat(values).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
          assertThat(values[i])
              .as("%s %d", tensor.name(), i)
              .isCloseTo(wanted[i], within(1e-3f * (1 + wanted[i])));
        }
      }
    }
  }

  @Test
  void matricesOfEitherFormAreTakenToQuantise() throws Exception {
    Path old = folder.resolve("old.gguf");
    Path now = folder.resolve("new.gguf");
    try (Checkpoint model = Checkpoint.open(golden("mixtral-F32").model())) {
      Conversion.of(model)
          .to(FileType.Q4_0)
          .importance(ImportanceMatrix.read(resource("mixtral-F32.dat")))
          .write(old);
      Conversion.of(model).to(FileType.Q4_0).importance(collect("mixtral-F32")).write(now);
    }
    assertThat(Files.size(old)).isCloseTo(Files.size(now), within(1000L));
  }
}
