package org.llamaj.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.GenerationOptions;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.ModelInput;
import org.llamaj.Picture;
import org.llamaj.SamplingOptions;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.vision.golden.GoldenVision;

/** Pictures through the API: prompts and conversations with a tiny model of random weights. */
class PicturePromptTest {
  private static final Path IMAGES = GoldenVision.root().resolve("llama4-preprocess/images");
  private static final Picture TALL = Picture.of(IMAGES.resolve("tall_1x7.png"));
  private static final Picture WIDE = Picture.of(IMAGES.resolve("landscape.png"));
  private static final Path MODEL = GoldenVision.root().resolve("mllama-tiny/a/hf");
  private static final int IMAGE = 384;
  private static final GenerationOptions OPTIONS =
      GenerationOptions.defaults().withSampling(SamplingOptions.greedy()).withMaxTokens(12);

  private static LlamaModel model;

  @BeforeAll
  static void load() {
    model = LlamaModel.load(MODEL);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aMarkForEachPicture() {
    int[] oneMark = {300, IMAGE, 68, 101};
    assertThat(model.input(oneMark, List.of(TALL)).ids()).isEqualTo(oneMark);
    assertThatThrownBy(() -> model.input(oneMark, List.of(TALL, WIDE)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("expected the tokens of 2 pictures in the prompt, found those of 1");
    assertThatThrownBy(() -> model.input(new int[] {300, IMAGE, IMAGE, IMAGE}, List.of(TALL, WIDE)))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining(
            "expected the tokens of 2 pictures in the prompt, found those of more");
    assertThat(model.input(new int[] {300, 68, 101}, List.of(TALL, WIDE)).ids())
        .containsExactly(IMAGE, IMAGE, 300, 68, 101);
  }

  @Test
  void encodingIsCancelledBetweenLayers() {
    int[] ids = {300, IMAGE};
    AtomicInteger asked = new AtomicInteger();
    try (LlamaModel fresh = LlamaModel.load(MODEL)) {
      ModelInput input = fresh.input(ids, List.of(WIDE));
      assertThatThrownBy(() -> input.encode(() -> asked.incrementAndGet() == 3))
          .isInstanceOf(CancellationException.class);
      assertThat(asked).hasValue(3);
      asked.set(0);
      input.encode(ids.length, () -> asked.incrementAndGet() > 0);
      assertThat(asked).as("questions when nothing of it is to be read").hasValue(0);
      input.encode(() -> asked.incrementAndGet() < 0);
      assertThat(asked.get()).as("questions in 7 layers").isGreaterThanOrEqualTo(7);
      asked.set(0);
      fresh.input(ids, List.of(WIDE)).encode(() -> asked.incrementAndGet() > 0);
      assertThat(asked).as("questions when it was remembered").hasValue(0);
    }
  }

  @Test
  void laterTurnsReadOnlyWhatIsNew() {
    Message first = Message.user(model.image(TALL), new Content.Text("What is this?"));
    Message answer = Message.assistant("A tower.");
    Message second = Message.user(new Content.Text("And this?"), model.image(WIDE));
    try (ChatSession chat = open();
        ChatSession anew = open()) {
      chat.stream(first, answer, Message.user("Sure?")).readAll(_ -> {});
      chat.rewind(2);
      Generation later = chat.stream(second).readAll(_ -> {});
      Generation atOnce = anew.stream(first, answer, second).readAll(_ -> {});
      assertThat(later.text()).isEqualTo(atOnce.text());
      assertThat(later.timings().promptTokens()).isLessThan(atOnce.timings().promptTokens());
    }
  }

  @Test
  void afterForkAndRewindTheAnswersAreTheSame() {
    Message first = Message.user(model.image(TALL), new Content.Text("What is this?"));
    try (ChatSession chat = open()) {
      String one = chat.send(first, _ -> {}).text();
      String two = chat.send("And its colour?").text();
      chat.rewind(2);
      try (ChatSession fork = chat.fork()) {
        assertThat(fork.send("And its colour?").text()).isEqualTo(two);
      }
      chat.rewind(0);
      Message other = Message.user(model.image(WIDE), new Content.Text("What is this?"));
      String ofOther = chat.send(other, _ -> {}).text();
      assertThat(ofOther).as("the answer about another picture").isNotEqualTo(one);
      chat.rewind(0);
      assertThat(chat.send(first, _ -> {}).text()).isEqualTo(one);
    }
  }

  /** What was read of a text is shared with texts that begin like it, but not across pictures. */
  @Test
  void textsAboutOtherPicturesAreNotTakenForTheSame() {
    int[] ids = new int[400];
    Arrays.setAll(ids, i -> i == 0 ? 300 : i == 1 ? IMAGE : i * 7 % 256);
    String tall = model.prompt(ids).image(TALL).options(OPTIONS).generate().text();
    String wide = model.prompt(ids).image(WIDE).options(OPTIONS).generate().text();
    assertThat(wide).isNotEqualTo(tall);
    assertThat(model.prompt(ids).image(TALL).options(OPTIONS).generate().text()).isEqualTo(tall);
    try (LlamaModel fresh = LlamaModel.load(MODEL)) {
      assertThat(fresh.prompt(ids).image(WIDE).options(OPTIONS).generate().text()).isEqualTo(wide);
    }
  }

  @Test
  void anImageOfSomebodyElseIsRefused() {
    try (ChatSession chat = open()) {
      Message message = Message.user(new Content.Image(4, 4, "a file"), new Content.Text("Hm?"));
      assertThatThrownBy(() -> chat.send(message, _ -> {}))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("LlamaModel.image");
    }
  }

  private static ChatSession open() {
    return model.chat().options(OPTIONS).open();
  }
}
