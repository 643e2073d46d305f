package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
import org.llamaj.transformer.Transformer;

/** What callers do wrong gets an answer they can act on; nothing of it ends the JVM. */
class MisuseTest {
  private static LlamaModel model;
  private static LlamaModel other;
  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    model = LlamaModel.builder(TestModels.small()).contextLength(200).load();
    other = LlamaModel.builder(TestModels.quantised()).contextLength(200).batchSize(4).load();
  }

  @AfterAll
  static void close() {
    model.close();
    other.close();
  }

  /** Kernels would write to the other model's memory as if it had this one's proportions. */
  @Test
  void modelsDoNotTakeSequencesAndBatchesOfOthers() {
    Transformer transformer = model.transformer();
    try (Sequence foreign = other.transformer().newSequence();
        Sequence own = transformer.newSequence()) {
      Batch batch = transformer.newBatch().add(own, 1);
      assertThatThrownBy(() -> batch.add(foreign, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("sequence of the same model");
      assertThatThrownBy(() -> transformer.reserve(foreign, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("sequence of the same model");
      assertThatThrownBy(() -> other.transformer().forward(batch))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("batch of this model");
      batch.wantLogits();
      transformer.forward(batch);
      assertThat(own.length()).isEqualTo(1);
    }
  }

  @Test
  void aPipeIsRefusedAtOnce() throws Exception {
    Path pipe = folder.resolve("pipe.gguf");
    assumeThat(makePipe(pipe)).isTrue();
    assertTimeoutPreemptively(
        Duration.ofMinutes(10),
        () ->
            assertThatThrownBy(() -> LlamaModel.load(pipe))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("pipe.gguf: expected a file, found a pipe"));
  }

  @ParameterizedTest
  @MethodSource("org.llamaj.golden.GoldenAssertions#usableKernels")
  void aFileCutShortBetweenForwardPassesIsAFailureOfOurs(String kernels) throws Exception {
    assumeThat(System.getProperty("os.name")).isEqualTo("Linux");
    Path file = Files.copy(TestModels.small(), folder.resolve("model.gguf"));
    try (LlamaModel cut = LlamaModel.builder(file).kernels(kernels).load()) {
      cut.prompt("the").maxTokens(1).generate();
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(4096);
      }
      assertThatThrownBy(() -> cut.prompt("the quick").maxTokens(1).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("found 4096: it was cut short while in use");
    }
  }

  @Test
  void aFileThatIsDeletedOrReplacedStaysInUse() throws Exception {
    Path file = Files.copy(TestModels.small(), folder.resolve("model.gguf"));
    try (LlamaModel deleted = LlamaModel.builder(file).contextLength(200).load()) {
      assumeThat(Files.deleteIfExists(file)).isTrue();
      Files.writeString(file, "another");
      assertThat(text(deleted)).isEqualTo(text(model));
    }
  }

  @Test
  void whatMemoryDoesNotHoldIsAFailureOfOurs() {
    assertThatThrownBy(
            () ->
                LlamaModel.builder(TestModels.small())
                    .onProgress(
                        _ -> {
                          throw new OutOfMemoryError("none left");
                        })
                    .load())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("no memory for it (none left): take a smaller batch size");
  }

  static Stream<Arguments> absurdNumbers() {
    return Stream.<Consumer<ModelBuilder>>of(
            b -> b.batchSize(Integer.MAX_VALUE),
            b -> b.batchSize(0),
            b -> b.threads(Integer.MAX_VALUE),
            b -> b.threads(-1),
            b -> b.contextLength(0),
            b -> b.promptChunk(0),
            b -> b.queueLimit(0),
            b -> b.prefixCache(-1),
            b -> b.pinExperts(-1))
        .map(Arguments::of);
  }

  @ParameterizedTest
  @MethodSource("absurdNumbers")
  void absurdNumbersAreRefusedWithTheirNames(Consumer<ModelBuilder> set) {
    assertThatThrownBy(() -> set.accept(LlamaModel.builder(TestModels.small())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching("\\w+: expected .*, found -?\\d+");
  }

  @Test
  void theLongestContextThereIsCostsNothing() {
    try (LlamaModel longest =
        LlamaModel.builder(TestModels.small()).contextLength(Integer.MAX_VALUE).load()) {
      assertThat(text(longest)).isEqualTo(text(model));
    }
  }

  static Stream<Arguments> halfCharacters() {
    String half = "half \ud83d";
    return Stream.<ThrowingCallable>of(
            () -> model.prompt(half),
            () -> model.batch(List.of(half)),
            () -> model.score(half),
            () -> model.score("whole", half),
            () -> model.perplexity(half),
            () -> model.embedding().embed(half),
            () -> model.rerank(half, List.of("whole")),
            () -> {
              try (ChatSession chat = model.chat().open()) {
                chat.send(half);
              }
            })
        .map(Arguments::of);
  }

  @ParameterizedTest
  @MethodSource("halfCharacters")
  void halfACharacterIsNoText(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("unpaired surrogate");
    assertThat(model.transformer().cachePagesInUse()).isZero();
  }

  static Stream<Arguments> nulls() {
    GenerationRequest request = model.prompt("the");
    ModelBuilder builder = LlamaModel.builder(TestModels.small());
    return Stream.of(
        Arguments.of("path", (ThrowingCallable) () -> LlamaModel.builder((Path) null)),
        Arguments.of("place", (ThrowingCallable) () -> LlamaModel.load((String) null)),
        Arguments.of("stream", (ThrowingCallable) () -> LlamaModel.builder((InputStream) null, "")),
        Arguments.of("owner", (ThrowingCallable) () -> LlamaModel.builder((Class<?>) null, "")),
        Arguments.of("name", (ThrowingCallable) () -> builder.kernels(null)),
        Arguments.of("directory", (ThrowingCallable) () -> builder.kvDirectory(null)),
        Arguments.of("value", (ThrowingCallable) () -> builder.onGeneration(null)),
        Arguments.of("type", (ThrowingCallable) () -> builder.weights(null)),
        Arguments.of("text", (ThrowingCallable) () -> model.prompt((String) null)),
        Arguments.of("text", (ThrowingCallable) () -> model.score(null)),
        Arguments.of("question", (ThrowingCallable) () -> model.rerank(null, List.of())),
        Arguments.of("path", (ThrowingCallable) () -> model.adapter(null)),
        Arguments.of("adapter", (ThrowingCallable) () -> request.adapter(null)),
        Arguments.of("file", (ThrowingCallable) () -> request.image((Path) null)),
        Arguments.of("sampling", (ThrowingCallable) () -> request.sampling(_ -> null)),
        Arguments.of("speculation", (ThrowingCallable) () -> request.speculation(null)),
        Arguments.of("overflow", (ThrowingCallable) () -> request.overflow(null)),
        Arguments.of("value", (ThrowingCallable) () -> request.timeLimit(null)),
        Arguments.of("value", (ThrowingCallable) () -> request.grammar(null)),
        Arguments.of("options", (ThrowingCallable) () -> request.options((GenerationOptions) null)),
        Arguments.of("options", (ThrowingCallable) () -> model.chat().options(_ -> null)));
  }

  @ParameterizedTest
  @MethodSource("nulls")
  void nothingIsRefusedWithTheNameOfWhatIsMissing(String name, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name);
  }

  @Test
  void aConversationIsNotSavedToADirectory() {
    try (ChatSession chat = model.chat().open()) {
      for (Path directory : List.of(folder, folder.getRoot(), Path.of(""))) {
        assertThatThrownBy(() -> chat.save(directory))
            .isInstanceOf(LlamaException.class)
            .hasMessageContaining("expected a file to save the conversation to");
      }
    }
    assertThat(folder).isEmptyDirectory();
  }

  private static String text(LlamaModel from) {
    return from.prompt("the quick").maxTokens(10).temperature(0).generate().text();
  }

  private static boolean makePipe(Path pipe) throws Exception {
    try {
      return new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0
          && Files.exists(pipe);
    } catch (java.io.IOException e) {
      return false;
    }
  }
}
