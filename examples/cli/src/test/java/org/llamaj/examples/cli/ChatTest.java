package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ChatTest {
  private static final String VILLAGER =
      "You are Bruni, a grumpy blacksmith in Ironvale. You sell a sword for 12 gold coins.";

  @Test
  void answersEachLineAndRemembers() {
    Run run =
        chat(
            """
            Who are you?
            My name is Alice.

            What is my name?
            """,
            "--system",
            VILLAGER);
    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out().lines().toList()).hasSize(3);
    assertThat(run.out().lines().toList().getFirst()).contains("Bruni");
    assertThat(run.out().lines().toList().getLast()).contains("Alice");
  }

  @Test
  void resetForgetsWhatWasSaid() {
    Run run =
        chat(
            """
            My name is Alice.
            /reset
            What is my name?
            """,
            "--system",
            VILLAGER);
    assertThat(run.out().lines().toList().getLast()).doesNotContain("Alice");
  }

  @Test
  void systemChangesWhoAnswers() {
    Run run =
        chat(
            """
            /system You are Tom, a guard in Oakford.
            Who are you?
            """,
            "--system",
            VILLAGER);
    assertThat(run.out()).contains("Tom").doesNotContain("Bruni");
  }

  @Test
  void endsWhenTold() {
    assertThat(chat("/bye\nWho are you?\n").out()).isEmpty();
  }

  @Test
  void joinsLinesThatGoOn() {
    Run run = chat("What is \\\n7 plus 5?\n");
    assertThat(run.out()).hasLineCount(1).contains("12");
  }

  @Test
  void helpsAndTellsOfUnknownCommands() {
    Run run = chat("/help\n/dance\n");
    assertThat(run.out()).contains("/reset", "Unknown command /dance");
  }

  @Test
  void failsWhenTheContextIsFull() {
    Run run = chat("Tell me a story about a brave fox.\n".repeat(3), "--context", "60");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("context").hasLineCount(1);
  }

  @Test
  void demoPlaysItsScenesWithoutATerminal() {
    Run run = Run.of("demo");
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .containsSubsequence(
            "I am Bruni", "21 gold coins", "dragon", "Alice", "fox", "71", "\"name\": \"Elda\"")
        .containsPattern("[0-9]+ tokens in [0-9.]+ seconds");
  }

  private static Run chat(String input, String... options) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    try {
      String[] arguments = new String[options.length + 3];
      arguments[0] = "chat";
      arguments[1] = "--temperature";
      arguments[2] = "0";
      System.arraycopy(options, 0, arguments, 3, options.length);
      return Run.of(arguments);
    } finally {
      System.setIn(before);
    }
  }
}
