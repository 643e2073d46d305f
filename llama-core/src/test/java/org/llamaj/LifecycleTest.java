package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(600)
class LifecycleTest {
  private static final Path MAPS = Path.of("/proc/self/maps");

  @Test
  void loadsFromAFileAResourceAndAStream() throws IOException {
    String expected = text(LlamaModel.builder(TestModels.small()));
    assertThat(text(LlamaModel.builder(getClass(), "/golden/text/rope-linear-F32/model.gguf")))
        .isEqualTo(expected);
    try (InputStream stream = Files.newInputStream(TestModels.small())) {
      assertThat(text(LlamaModel.builder(stream, "a stream"))).isEqualTo(expected);
    }
  }

  @Test
  void weightsInHugePagesGiveTheSameText() {
    assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
    List<Double> fractions = new ArrayList<>();
    String copied =
        text(
            LlamaModel.builder(TestModels.quantised())
                .residency(Residency.HUGE_PAGES)
                .onProgress(fractions::add));
    assertThat(copied).isEqualTo(text(LlamaModel.builder(TestModels.quantised())));
    assertThat(fractions).isSorted().endsWith(1.0);
  }

  @Test
  void aMissingResourceAndAMissingFileAreNamed() {
    assertThatThrownBy(() -> LlamaModel.builder(getClass(), "/no.gguf").load())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("/no.gguf");
    assertThatThrownBy(() -> LlamaModel.load(Path.of("no.gguf")))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("no.gguf: no such file");
  }

  @Test
  void unknownKernelsAreRefusedWithTheNamesThatAre() {
    assertThatThrownBy(() -> LlamaModel.builder(TestModels.small()).kernels("warp").load())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("scalar")
        .hasMessageContaining("found warp");
  }

  @Test
  void progressRunsFromZeroToOne() {
    List<Double> fractions = new ArrayList<>();
    LlamaModel.builder(TestModels.small()).onProgress(fractions::add).load().close();
    assertThat(fractions).isSorted().allMatch(f -> f > 0 && f <= 1).endsWith(1.0);
  }

  @Test
  void describeNamesModelAndKernels() {
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).kernels("scalar").load()) {
      assertThat(model.describe())
          .contains("rope-linear-F32 (llama)", "2 layers", "F32", "scalar", "mapped");
      assertThat(model.kernels()).isEqualTo("scalar");
    }
    try (LlamaModel model = LlamaModel.builder(TestModels.small()).threads(1).load()) {
      assertThat(model.describe().lines()).anyMatch(line -> line.endsWith(", 1 thread"));
    }
  }

  @Test
  void aClosedModelRefusesWork() {
    LlamaModel model = LlamaModel.load(TestModels.small());
    model.close();
    model.close();
    assertThatThrownBy(() -> model.generate("x"))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> model.chat().open())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("the model is closed: load it again");
  }

  @Test
  void closeEndsGenerationsOfOtherThreads() throws Exception {
    LlamaModel model = LlamaModel.builder(TestModels.small()).contextLength(16_000).load();
    CountDownLatch running = new CountDownLatch(4);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Throwable>> endings = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        endings.add(threads.submit(() -> generateForever(model, running)));
      }
      running.await();
      model.close();
      for (Future<Throwable> ending : endings) {
        assertThat(ending.get()).isInstanceOf(LlamaException.class).hasMessageContaining("closed");
      }
    }
  }

  @Test
  void sessionsAndModelsShareAJvmWithoutMixing() throws Exception {
    try (LlamaModel one = LlamaModel.builder(TestModels.small()).contextLength(500).load();
        LlamaModel two = LlamaModel.builder(TestModels.llama2()).contextLength(500).load();
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      String expectedOne = greedy(one);
      String expectedTwo = greedy(two);
      List<Future<String>> ofOne = new ArrayList<>();
      List<Future<String>> ofTwo = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        ofOne.add(threads.submit(() -> greedy(one)));
        ofTwo.add(threads.submit(() -> greedy(two)));
      }
      for (int i = 0; i < 8; i++) {
        assertThat(ofOne.get(i).get()).isEqualTo(expectedOne);
        assertThat(ofTwo.get(i).get()).isEqualTo(expectedTwo);
      }
    }
  }

  @Test
  void closeUnmapsTheFileAndEndsTheThreads(@TempDir Path folder) throws Exception {
    assumeThat(MAPS).exists();
    ThreadWatch watch = new ThreadWatch();
    Path file = Files.copy(TestModels.quantised(), folder.resolve("mapped.gguf"));
    LlamaModel model = LlamaModel.builder(file).threads(3).load();
    assertThat(model.threads()).isEqualTo(3);
    model.prompt("a").maxTokens(3).generate();
    assertThat(Files.readString(MAPS)).contains(file.toString());
    assertThat(openFiles()).anyMatch(name -> name.endsWith("mapped.gguf"));
    assertThat(watch.alive("llamaj-worker")).isPositive();
    model.close();
    assertThat(Files.readString(MAPS)).doesNotContain(file.toString());
    assertThat(openFiles()).noneMatch(name -> name.endsWith("mapped.gguf"));
    watch.awaitNone("llamaj-worker");
  }

  @Test
  void aFailedLoadUnmapsTheFile(@TempDir Path folder) throws Exception {
    assumeThat(MAPS).exists();
    Path broken = folder.resolve("cut-short.gguf");
    byte[] bytes = Files.readAllBytes(TestModels.small());
    Files.write(broken, java.util.Arrays.copyOf(bytes, bytes.length - 1000));
    assertThatThrownBy(() -> LlamaModel.load(broken))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("cut-short.gguf");
    assertThat(Files.readString(MAPS)).doesNotContain("cut-short.gguf");
    assertThat(openFiles()).noneMatch(name -> name.endsWith("cut-short.gguf"));
  }

  private static List<String> openFiles() throws IOException {
    List<String> names = new ArrayList<>();
    for (String number : new File("/proc/self/fd").list()) {
      try {
        names.add(Files.readSymbolicLink(Path.of("/proc/self/fd", number)).toString());
      } catch (NoSuchFileException e) {
        // closed meanwhile: the list's own, or by another thread
      }
    }
    return names;
  }

  private static Throwable generateForever(LlamaModel model, CountDownLatch running) {
    try (GenerationStream stream =
        model
            .prompt("once")
            .maxTokens(Integer.MAX_VALUE)
            .sampling(s -> s.withTemperature(1).withSeed(3))
            .stream()) {
      stream.next();
      running.countDown();
      while (true) {
        if (stream.hasNext()) {
          stream.next();
        } else {
          model.prompt("twice").maxTokens(1).generate();
        }
      }
    } catch (Throwable t) {
      return t;
    }
  }

  private static String text(ModelBuilder builder) {
    try (LlamaModel model = builder.contextLength(200).load()) {
      return greedy(model);
    }
  }

  private static String greedy(LlamaModel model) {
    return model.prompt("the quick").maxTokens(40).temperature(0).generate().text();
  }
}
