package org.llamaj.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.GenerationOptions;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.SamplingOptions;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;
import org.llamaj.vision.golden.GoldenVision;

/** Conversations with pictures that are saved, by models of all forms that are there. */
class SavedPicturesTest {
  private static final Path IMAGES = GoldenVision.root().resolve("llama4-preprocess/images");
  private static final Picture TALL = Picture.of(IMAGES.resolve("tall_1x7.png"));
  private static final Picture WIDE = Picture.of(IMAGES.resolve("landscape.png"));
  private static final GenerationOptions OPTIONS =
      GenerationOptions.defaults().withSampling(SamplingOptions.greedy()).withMaxTokens(12);

  @ParameterizedTest
  @MethodSource("org.llamaj.vision.GoldenMultimodalTest#forms")
  void aRestoredConversationGoesOnAsTheOneThatWasSaved(
      GoldenMultimodalTest.Form form, @TempDir Path folder) {
    Path file = folder.resolve("pictures.session");
    Generation expected;
    try (LlamaModel model = form.builder("scalar").load();
        ChatSession chat = model.chat().options(OPTIONS).history(history(model)).open()) {
      chat.send("And its colour?");
      chat.save(file);
      expected = chat.send(question(model), _ -> {});
      assertThat(chat.send("Sure?").tokens()).isNotEqualTo(expected.tokens());
    }
    try (LlamaModel model = form.builder("scalar").load();
        ChatSession restored = model.chat().options(OPTIONS).restore(file)) {
      assertThat(restored.conversation().messages()).hasSize(5);
      Generation answer = restored.send(question(model), _ -> {});
      assertThat(answer.tokens()).isEqualTo(expected.tokens());
      assertThat(answer.promptTokens()).isEqualTo(expected.promptTokens());
      if (!form.folder().endsWith("maverick")) { // whose chunks are shorter than the conversation
        assertThat(answer.timings().promptTokens()).isLessThan(answer.promptTokens());
      }
    }
  }

  @Test
  void pictureRowsOfAnotherEncoderAreRefused(@TempDir Path folder) {
    Path root = GoldenVision.root();
    Path text = root.resolve("llama4-multimodal-tiny/scout/gguf/text-f32.gguf");
    Path encoder = root.resolve("llama4-vision-tiny/gguf/mmproj-f32.gguf");
    Path other = root.resolve("llama4-vision-tiny/gguf/mmproj-f16-apn.gguf");
    assumeThat(text).exists();
    Path pictures = folder.resolve("pictures.session");
    Path plain = folder.resolve("plain.session");
    try (LlamaModel model = LlamaModel.builder(text).mmproj(encoder).load();
        ChatSession chat = model.chat().options(OPTIONS).open()) {
      chat.send("Who are you?");
      chat.save(plain);
      chat.send(question(model), _ -> {});
      chat.save(pictures);
    }
    try (LlamaModel model = LlamaModel.builder(text).mmproj(other).load()) {
      model.chat().restore(plain).close();
      assertThatThrownBy(() -> model.chat().restore(pictures))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("give ModelBuilder.mmproj the file it was saved with");
    }
  }

  private static Message[] history(LlamaModel model) {
    return new Message[] {
      Message.system("You look at towers, at wide landscapes, and at nothing else. ".repeat(4)),
      Message.user(model.image(TALL), new Content.Text("What is this?")),
      Message.assistant("A tower.")
    };
  }

  private static Message question(LlamaModel model) {
    return Message.user(new Content.Text("And this?"), model.image(WIDE));
  }
}
