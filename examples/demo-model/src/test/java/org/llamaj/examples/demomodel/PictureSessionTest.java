package org.llamaj.examples.demomodel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.ChatSession;
import org.llamaj.Generation;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;

/** Conversations about pictures that are saved, and read ahead: pictures as Llama 4 reads them. */
class PictureSessionTest {
  private static final Random RANDOM = new Random(13);
  private static final Scene SCENE = Scene.random(RANDOM);
  private static final Picture PICTURE = SCENE.paint(RANDOM);

  @Test
  void aRestoredConversationStillSeesItsPictureAndReadsNothingOfItAgain(@TempDir Path folder) {
    Path file = folder.resolve("picture.session");
    Generation expected;
    int saved;
    try (LlamaModel model = PictureDemoModel.builder().load();
        ChatSession chat = model.chat().temperature(0).readAhead(false).open()) {
      chat.send(describe(model), _ -> {});
      chat.send("How many shapes are there?");
      chat.save(file);
      saved = chat.tokens() / 64 * 64;
      expected = chat.send("Describe the picture.");
    }
    try (LlamaModel model = PictureDemoModel.builder().load();
        ChatSession chat = model.chat().temperature(0).restore(file)) {
      Generation answer = chat.send("Describe the picture.");
      assertThat(answer.tokens()).isEqualTo(expected.tokens());
      assertThat(answer.promptTokens()).isEqualTo(expected.promptTokens());
      assertThat(saved).as("tokens in full pages").isPositive();
      assertThat(answer.timings().promptTokens()).isEqualTo(answer.promptTokens() - saved);
    }
  }

  @Test
  void aConversationThatWentBackToBeforeItsPictureForgetsIt(@TempDir Path folder) {
    Path file = folder.resolve("picture.session");
    Picture other = Scene.random(RANDOM).paint(RANDOM);
    try (LlamaModel model = PictureDemoModel.builder().load();
        ChatSession chat = model.chat().temperature(0).open();
        ChatSession anew = model.chat().temperature(0).open()) {
      chat.send(describe(model), _ -> {});
      chat.send("How many shapes are there?");
      chat.rewind(0);
      chat.save(file);
      Message question =
          Message.user(model.image(other), new Content.Text("Describe the picture."));
      try (ChatSession restored = model.chat().temperature(0).restore(file)) {
        assertThat(restored.send(question, _ -> {}).tokens())
            .isEqualTo(anew.send(question, _ -> {}).tokens());
      }
    }
  }

  @Test
  void aPictureCanBeLookedAtBeforeTheQuestionComes() throws Exception {
    try (LlamaModel model = PictureDemoModel.builder().prefixCache(0).load();
        ChatSession chat = model.chat().temperature(0).open()) {
      chat.prepare(Message.user(model.image(PICTURE))).get();
      Generation answer = chat.send(describe(model), _ -> {});
      assertThat(answer.text()).isEqualTo(SCENE.description());
      assertThat(answer.timings().promptTokens()).isLessThan(20);
    }
  }

  private static Message describe(LlamaModel model) {
    return Message.user(model.image(PICTURE), new Content.Text("Describe the picture."));
  }
}
