package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DescribeCommandTest {
  private static final Path ROOT = Path.of("../..").toAbsolutePath().normalize();
  private static final String PICTURE = "examples/demo-model/pictures/shapes.png";

  @Test
  void describesThePictureOfTheReadme() throws IOException {
    Run run = Run.of("describe", ROOT.resolve(PICTURE).toString());
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .isEqualTo(
            "Four shapes: a red circle at the top left, a blue square in the middle, an orange"
                + " cross at the bottom left and a green triangle at the bottom right."
                + System.lineSeparator());
    String readme = Files.readString(ROOT.resolve("README.md")).replaceAll("\\s+", " ");
    assertThat(readme).contains("$ ./llama describe " + PICTURE + " " + run.out().strip());
  }

  @Test
  void answersAQuestion() {
    Run run =
        Run.of(
            "describe",
            "--question",
            "What colour is the triangle?",
            ROOT.resolve(PICTURE).toString());
    assertThat(run.out().strip()).isEqualTo("Green.");
  }

  @Test
  void whatIsNoPictureIsNamed() {
    Run run = Run.of("describe", ROOT.resolve("README.md").toString());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("README.md: expected an image file").hasLineCount(1);
  }
}
