package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.kernel.CacheType;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;

class SavedSessionTest {
  private static LlamaModel model;
  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    model = builder().load();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aForkGoesItsOwnWay() {
    try (ChatSession chat = chat(model)) {
      chat.send("Who are you?");
      try (ChatSession fork = chat.fork()) {
        String first = chat.send("And where?").text();
        String other = fork.send("What is this, and why?").text();
        assertThat(fork.conversation().messages()).hasSize(5);
        fork.rewind(3);
        assertThat(fork.send("And where?").text()).isEqualTo(first).isNotEqualTo(other);
      }
    }
  }

  @Test
  void rewindingAndEditingGiveWhatWouldHaveBeenSaidAtOnce() {
    try (ChatSession chat = chat(model);
        ChatSession direct = chat(model)) {
      chat.send("one");
      chat.send("two");
      chat.send("three");
      direct.send("one");
      assertThat(chat.edit(3, "four").text()).isEqualTo(direct.send("four").text());
      assertThat(chat.conversation()).isEqualTo(direct.conversation());
      chat.rewind(1);
      assertThat(chat.conversation().messages()).hasSize(1);
      assertThatThrownBy(() -> chat.edit(0, "x")).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> chat.rewind(2)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aRestoredSessionGoesOnWithoutReadingItsPastAgain() {
    Path file = folder.resolve("chat.session");
    String expected;
    try (ChatSession chat = chat(model)) {
      chat.send("Tell me a long story. ".repeat(10));
      chat.save(file);
      expected = chat.send("Go on.").text();
    }
    try (LlamaModel other = builder().load();
        ChatSession restored = other.chat().options(options()).restore(file)) {
      assertThat(restored.conversation().messages()).hasSize(3);
      Generation answer = restored.send("Go on.");
      assertThat(answer.text()).isEqualTo(expected);
      assertThat(answer.timings().promptTokens()).isLessThan(64 + 40);
      assertThat(answer.promptTokens()).isGreaterThan(200);
    }
  }

  @Test
  void anotherCacheTypeReadsThePastAgain() {
    Path file = folder.resolve("chat.session");
    try (ChatSession chat = chat(model)) {
      chat.send("Tell me a long story. ".repeat(10));
      chat.save(file);
    }
    try (LlamaModel other = builder().cacheType(CacheType.F32).load();
        ChatSession restored = other.chat().options(options()).restore(file)) {
      Generation answer = restored.send("Go on.");
      assertThat(answer.timings().promptTokens()).isEqualTo(answer.promptTokens());
    }
  }

  @Test
  void allKindsOfMessagesAreKept() {
    Path file = folder.resolve("chat.session");
    Map<String, Object> arguments =
        Map.of("city", "Oslo", "days", 3, "exact", true, "list", java.util.List.of(1.5, 2L));
    Message[] history = {
      Message.user("What is the weather?"),
      Message.assistant("", java.util.List.of(new Content.ToolCall("7", "weather", arguments))),
      Message.tool(new Content.ToolResult("7", "weather", "rain")),
      Message.assistant("Rain.")
    };
    try (ChatSession chat = model.chat().history(history).options(options()).open()) {
      chat.save(file);
      try (ChatSession restored = model.chat().restore(file)) {
        assertThat(restored.conversation()).isEqualTo(chat.conversation());
      }
    }
  }

  @Test
  void aDamagedCutOrForeignFileIsRefused() throws IOException {
    Path file = folder.resolve("chat.session");
    try (ChatSession chat = chat(model)) {
      chat.send("Tell me a long story. ".repeat(5));
      chat.save(file);
    }
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(1);
    for (int i = 0; i < 40; i++) {
      byte[] cut = Arrays.copyOf(whole, random.nextInt(whole.length));
      assertRefused(file, cut);
      byte[] damaged = whole.clone();
      damaged[random.nextInt(i < 20 ? 200 : whole.length)] ^= (byte) (1 << random.nextInt(8));
      assertRefused(file, damaged);
    }
    byte[] older = whole.clone();
    older[Long.BYTES + Integer.BYTES - 1] = 2;
    Files.write(file, older);
    assertThatThrownBy(() -> model.chat().restore(file))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("expected version 3 of saved conversations, found 2");
    Files.write(file, whole);
    try (LlamaModel foreign = LlamaModel.load(TestModels.small())) {
      assertThatThrownBy(() -> foreign.chat().restore(file))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("another: load the model it was saved with");
    }
    assertThatThrownBy(() -> model.chat().restore(folder.resolve("none")))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("no such file");
  }

  @Test
  void aFailedSaveLeavesWhatWasThere() throws IOException {
    Path file = folder.resolve("chat.session");
    try (ChatSession chat = chat(model)) {
      chat.save(file);
      byte[] before = Files.readAllBytes(file);
      Path blocked = folder.resolve("folder");
      Files.createDirectories(blocked.resolve("child"));
      assertThatThrownBy(() -> chat.save(blocked)).isInstanceOf(LlamaException.class);
      assertThat(Files.readAllBytes(file)).isEqualTo(before);
      chat.save(file);
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("chat.session", "folder");
    }
  }

  private static void assertRefused(Path file, byte[] content) throws IOException {
    Files.write(file, content);
    assertThatThrownBy(() -> model.chat().restore(file))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(file.toString());
  }

  private static ChatSession chat(LlamaModel model) {
    return model.chat().system("You are a cat.").options(options()).open();
  }

  private static GenerationOptions options() {
    return GenerationOptions.defaults().withMaxTokens(20).withSampling(SamplingOptions.greedy());
  }

  private static ModelBuilder builder() {
    return LlamaModel.builder(TestModels.quantised()).kernels("scalar").contextLength(2000);
  }
}
