package org.llamaj;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Conversation;
import org.llamaj.tokenizer.chat.Message;

@Timeout(600)
class ReadAheadTest {
  private final ThreadWatch watch = new ThreadWatch();
  private LlamaModel model;

  @BeforeEach
  void load() {
    model =
        LlamaModel.builder(TestModels.small())
            .kernels("scalar")
            .contextLength(600)
            .prefixCache(0)
            .load();
  }

  @AfterEach
  void nothingIsLeft() throws InterruptedException {
    assertThat(model.transformer().cachePagesInUse()).isZero();
    model.close();
    watch.awaitNone("llamaj-idle");
  }

  @Test
  void anAnswerToWhatWasExpectedTakesOneTokenMore() throws Exception {
    Generation plain = answer("Really?");
    try (ChatSession chat = begun()) {
      chat.prepare(Message.user("Really?")).get();
      Generation prepared = chat.send("Really?");
      assertThat(prepared.tokens()).isEqualTo(plain.tokens());
      assertThat(prepared.timings().promptTokens()).isEqualTo(1);
      assertThat(plain.timings().promptTokens()).isGreaterThan(10);
    }
  }

  @Test
  void textThatIsBeingTypedIsReadAgainFromWhereItDiffers() throws Exception {
    Generation plain = answer("Really? Why then is the fox in the box?");
    try (ChatSession chat = begun()) {
      for (String typed :
          List.of("", "Rea", "Really? Wh", "Really? Where", "Really? Why then is")) {
        chat.prepare(Message.user(typed)).get();
      }
      Generation prepared = chat.send("Really? Why then is the fox in the box?");
      assertThat(prepared.tokens()).isEqualTo(plain.tokens());
      int rest = model.tokenizer().encode(" the fox in the box?").length;
      assertThat(prepared.timings().promptTokens())
          .isLessThan(plain.timings().promptTokens())
          .isBetween(rest, rest + frame() + 1);
    }
  }

  @Test
  void whateverIsSaidInsteadGetsItsOwnAnswer() throws Exception {
    Message[] result = {Message.tool(new Content.ToolResult("", "fox", "brown"))};
    Generation plain;
    try (ChatSession chat = begun()) {
      plain = chat.stream(result).readAll(_ -> {});
    }
    try (ChatSession chat = begun()) {
      chat.prepare().get();
      chat.prepare(Message.user("Really?")).get();
      Generation answer = chat.stream(result).readAll(_ -> {});
      assertThat(answer.tokens()).isEqualTo(plain.tokens());
    }
  }

  @Test
  void theSystemMessageIsReadBeforeAnythingIsSaid() throws Exception {
    try (ChatSession chat = chat().open();
        ChatSession prepared = chat().open()) {
      Generation plain = chat.send("Who are you?");
      prepared.prepare().get();
      assertThat(prepared.tokens()).isZero();
      Generation answer = prepared.send("Who are you?");
      assertThat(answer.tokens()).isEqualTo(plain.tokens());
      int words = model.tokenizer().encode("Who are you?").length;
      assertThat(answer.timings().promptTokens()).isEqualTo(words + frame());
    }
  }

  /** How many tokens follow a message of the user: its end, and the assistant's header. */
  private int frame() {
    int[] ids = model.chatFormat().encode(Conversation.of(Message.user("")));
    int end = model.tokenizer().special("<|eot_id|>").orElseThrow();
    return ids.length
        - IntStream.range(0, ids.length).filter(i -> ids[i] == end).findFirst().getAsInt();
  }

  @Test
  void theTimeAfterAnAnswerIsUsed() throws Exception {
    long before = model.scheduler().steps();
    try (ChatSession chat = chat().readAhead(false).open()) {
      chat.send("Who are you?");
    }
    long stepsOfAnAnswer = model.scheduler().steps() - before;
    Generation plain = answer("Really?");
    before = model.scheduler().steps();
    try (ChatSession chat = begun()) {
      int tokens = chat.tokens();
      while (model.scheduler().steps() == before + stepsOfAnAnswer) {
        Thread.sleep(10);
      }
      assertThat(chat.tokens()).isEqualTo(tokens);
      Generation answer = chat.send("Really?");
      assertThat(answer.tokens()).isEqualTo(plain.tokens());
      int words = model.tokenizer().encode("Really?").length;
      assertThat(answer.timings().promptTokens()).isEqualTo(words + frame());
    }
  }

  @Test
  void theTimeAfterAnAnswerIsNotUsedWhereThatIsNotWanted() throws Exception {
    try (ChatSession chat = chat().readAhead(false).open()) {
      chat.send("Who are you?");
      assertThat(watch.alive("llamaj-idle")).as("threads that wait for their time").isZero();
      long steps = model.scheduler().steps();
      chat.prepare().get();
      assertThat(model.scheduler().steps()).as("asked for").isEqualTo(steps + 1);
    }
  }

  @Test
  void allThatIsDoneWithTheConversationEndsTheReading(@TempDir Path folder) {
    Generation plain = answer("Really?");
    for (int round = 0; round < 20; round++) {
      Path file = folder.resolve("chat.session");
      try (ChatSession chat = begun()) {
        chat.prepare(Message.user("Really?"));
        try (ChatSession fork = chat.fork()) {
          fork.prepare(Message.user("No!"));
          assertThat(fork.send("Really?").tokens()).isEqualTo(plain.tokens());
          fork.prepare(Message.user("And then?"));
          fork.rewind(3);
          fork.prepare(Message.user("And then?"));
          fork.save(file);
          assertThat(fork.send("Really?").tokens()).isEqualTo(plain.tokens());
          fork.prepare();
        }
        chat.prepare(Message.user("Really? ".repeat(1 + round)));
        assertThat(chat.send("Really?").tokens()).isEqualTo(plain.tokens());
      }
      try (ChatSession restored = chat().restore(file)) {
        restored.prepare(Message.user("Really?"));
        assertThat(restored.send("Really?").tokens()).isEqualTo(plain.tokens());
      }
    }
  }

  @Test
  void whatDoesNotFitFails() throws Exception {
    Generation plain = answer("Really?");
    try (ChatSession chat = begun()) {
      Future<?> read = chat.prepare(Message.user("long ".repeat(1000)));
      assertThatThrownBy(read::get)
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("context of 600 tokens");
      assertThat(chat.send("Really?").tokens()).isEqualTo(plain.tokens());
    }
    try (ChatSession chat = chat().overflow(ContextOverflow.slide()).readAhead(false).open()) {
      chat.send("Who are you?");
      long steps = model.scheduler().steps();
      chat.prepare(Message.user("long ".repeat(1000))).get();
      assertThat(model.scheduler().steps()).as("what will be shortened").isEqualTo(steps);
    }
  }

  @Test
  void whatCannotBeWrittenFailsAsItDoesWhenItIsSaid() {
    Message half = Message.user("half a character: \ud83d");
    try (ChatSession chat = begun()) {
      assertThatThrownBy(() -> chat.prepare(half).get())
          .cause()
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("cannot be written in the model's chat format");
    }
  }

  @Test
  void aClosedModelReadsNothing() throws Exception {
    try (ChatSession chat = begun();
        GenerationStream open = model.prompt("a").temperature(0).maxTokens(9).stream()) {
      open.next();
      open.next();
      Future<?> first = chat.prepare(Message.user("one")); // waits for the stream
      try (ChatSession other = begun()) {
        Future<?> second = other.prepare(Message.user("two"));
        model.close();
        assertThatThrownBy(second::get).isInstanceOf(CancellationException.class);
        Future<?> third = other.prepare(Message.user("three"));
        assertThatThrownBy(third::get).isInstanceOf(CancellationException.class);
      }
      try {
        first.get();
      } catch (CancellationException e) {
        // had not begun
      }
    }
  }

  private Generation answer(String question) {
    try (ChatSession chat = chat().readAhead(false).open()) {
      chat.send("Who are you?");
      return chat.send(question);
    }
  }

  private ChatSession begun() {
    ChatSession chat = chat().open();
    chat.send("Who are you?");
    return chat;
  }

  private ChatBuilder chat() {
    return model.chat().system("You are a fox.").temperature(0).maxTokens(12);
  }
}
