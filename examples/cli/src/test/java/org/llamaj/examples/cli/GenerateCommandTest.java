package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.llamaj.LlamaModel;
import org.llamaj.examples.demomodel.DemoModel;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GenerateCommandTest {
  private static final JsonMapper JSON = JsonMapper.shared();

  @TempDir Path folder;

  @Test
  void printsOneObjectPerPromptInOrder() throws IOException {
    Path prompts =
        prompts(
            turn("What is 7 plus 5?"),
            "",
            turn("What is 9 times 8?"),
            // The model adds the begin-of-text token itself where it is left out.
            turn("What is 23 + 48?").replace("<|begin_of_text|>", ""));

    Run run = Run.of("generate", "--prompts", prompts.toString(), "-n", "40", "--temperature", "0");

    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    List<JsonNode> replies = run.out().lines().map(JSON::readTree).toList();
    assertThat(replies)
        .extracting(JsonNode::toString)
        .containsExactly(
            "{\"text\":\"7 plus 5 is 12.\"}",
            "{\"text\":\"9 times 8 is 72.\"}",
            "{\"text\":\"23 plus 48 is 71.\"}");
  }

  @Test
  void limitsTheTokensOfEachReply() throws IOException {
    Path prompts = prompts(turn("What is 7 plus 5?"));
    Run run = Run.of("generate", "--prompts", prompts.toString(), "-n", "2", "--temperature", "0");
    assertThat(run.out().strip()).isEqualTo("{\"text\":\"7 plus\"}");
  }

  @Test
  void continuesOnePromptAndTellsTheSpeedElsewhere() throws IOException {
    Run run = Run.of("generate", turn("What is 7 plus 5?"), "--temperature", "0");
    assertThat(run.status()).isZero();
    assertThat(run.out()).isEqualToIgnoringNewLines("7 plus 5 is 12.");
    assertThat(run.err()).contains("tokens").contains("per second").contains("complete");
  }

  @Test
  void readsAPromptFromAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("prompt.txt"), turn("What is 7 plus 5?"));
    Run run = Run.of("generate", "--file", file.toString(), "--temperature", "0");
    assertThat(run.out()).isEqualToIgnoringNewLines("7 plus 5 is 12.");
  }

  @Test
  void theSameSeedGivesTheTextOfTheLibrary() {
    String prompt = "Once there was";
    String expected;
    try (LlamaModel model = DemoModel.builder().load()) {
      expected = model.prompt(prompt).maxTokens(30).temperature(1.5f).seed(11).generate().text();
    }
    Run run = Run.of("generate", prompt, "-n", "30", "--temperature", "1.5", "--seed", "11");
    assertThat(run.out()).isEqualTo(expected + System.lineSeparator());
  }

  @Test
  void stopsAtAStopText() {
    Run run = Run.of("generate", turn("What is 7 plus 5?"), "--temperature", "0", "--stop", " is");
    assertThat(run.out()).isEqualToIgnoringNewLines("7 plus 5");
    assertThat(run.err()).contains("stop text");
  }

  @Test
  void namesTheLineThatIsNoPrompt() throws IOException {
    Path prompts = Files.writeString(folder.resolve("bad.jsonl"), "{\"text\": \"hello\"}\n");
    Run run = Run.of("generate", "--prompts", prompts.toString());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("bad.jsonl, line 1").contains("\"prompt\"");
  }

  private Path prompts(String... texts) throws IOException {
    List<String> lines =
        List.of(texts).stream()
            .map(text -> text.isEmpty() ? "" : JSON.writeValueAsString(Map.of("prompt", text)))
            .toList();
    return Files.write(folder.resolve("prompts.jsonl"), lines);
  }

  private static String turn(String question) {
    return "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
        + question
        + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
  }
}
