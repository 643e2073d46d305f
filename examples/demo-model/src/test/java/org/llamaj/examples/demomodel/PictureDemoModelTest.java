package org.llamaj.examples.demomodel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.ChatSession;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import org.llamaj.Picture;
import org.llamaj.tokenizer.chat.Content;
import org.llamaj.tokenizer.chat.Message;

class PictureDemoModelTest {
  private static final int PICTURES = 40;
  private static final Pattern THING =
      Pattern.compile("\\ban? (\\w+) (\\w+) ((?:in|on|at) the \\w+(?: left| right)?)");

  /** How many of the things in the pictures were told rightly. */
  private static final class Tally {
    private int things;
    private int colours;
    private int shapes;
    private int places;
    private int counts;
    private int wholes;
    private final List<String> wrong = new ArrayList<>();

    void add(Scene scene, String answer) {
      List<MatchResult> found = THING.matcher(answer).results().toList();
      List<MatchResult> expected = THING.matcher(scene.description()).results().toList();
      counts += found.size() == expected.size() ? 1 : 0;
      if (answer.equals(scene.description())) {
        wholes++;
      } else {
        wrong.add(scene.description() + " -> " + answer);
      }
      for (int i = 0; i < expected.size(); i++) {
        things++;
        if (i < found.size()) {
          colours += same(expected.get(i), found.get(i), 1);
          shapes += same(expected.get(i), found.get(i), 2);
          places += same(expected.get(i), found.get(i), 3);
        }
      }
    }

    private static int same(MatchResult a, MatchResult b, int group) {
      return a.group(group).equals(b.group(group)) ? 1 : 0;
    }
  }

  @Test
  void describesPicturesItNeverSaw() {
    Random random = new Random(7);
    Tally tally = new Tally();
    try (LlamaModel model = PictureDemoModel.builder().load()) {
      for (int i = 0; i < PICTURES; i++) {
        Scene scene = Scene.random(random);
        tally.add(scene, answer(model, scene.paint(random), "Describe the picture."));
      }
    }
    // Guessing would be right of a colour once in 6 times, of a shape once in 4.
    String wrong = String.join("\n", tally.wrong);
    assertThat((double) tally.counts / PICTURES).as("counts; %s", wrong).isGreaterThan(0.9);
    assertThat((double) tally.colours / tally.things).as("colours; %s", wrong).isGreaterThan(0.9);
    assertThat((double) tally.shapes / tally.things).as("shapes; %s", wrong).isGreaterThan(0.9);
    assertThat((double) tally.places / tally.things).as("places; %s", wrong).isGreaterThan(0.9);
    assertThat((double) tally.wholes / PICTURES).as("whole; %s", wrong).isGreaterThan(0.8);
  }

  @ParameterizedTest
  @MethodSource("org.llamaj.examples.demomodel.DemoModelTest#usableKernels")
  void saysTheSameOnAllKernels(String kernels) {
    Random random = new Random(11);
    try (LlamaModel model = PictureDemoModel.builder().kernels(kernels).load()) {
      Scene scene = Scene.random(random);
      Picture picture = scene.paint(random);
      assertThat(answer(model, picture, "Describe the picture.")).isEqualTo(scene.description());
      String count = Scene.NUMBERS.get(scene.things().size()) + ".";
      assertThat(answer(model, picture, "How many shapes are there?")).isEqualTo(count);
    }
  }

  @Test
  void aModelOfTextRefusesPictures() {
    Picture picture = Scene.random(new Random(1)).paint(new Random(1));
    try (LlamaModel model = DemoModel.builder().load()) {
      assertThat(model.seesPictures()).isFalse();
      assertThatThrownBy(() -> model.image(picture))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("ModelBuilder.mmproj");
      assertThatThrownBy(() -> model.prompt("What is this?").image(picture).generate())
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("loaded to read text only");
    }
  }

  private static String answer(LlamaModel model, Picture picture, String question) {
    try (ChatSession chat = model.chat().temperature(0).maxTokens(80).open()) {
      Message message = Message.user(model.image(picture), new Content.Text(question));
      return chat.send(message, _ -> {}).text();
    }
  }
}
