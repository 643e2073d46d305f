package org.llamaj.examples.demomodel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.LlamaModel;
import org.llamaj.kernel.KernelProvider;
import org.llamaj.tokenizer.SpecialTokens;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DemoModelTest {
  private static final int LONGEST_REPLY = 250;

  /** What other runtimes reach with this file, rounded as in the model card. */
  private static final long PERCENT_RIGHT = 95;

  static Stream<String> usableKernels() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty())
        .map(KernelProvider::name);
  }

  @ParameterizedTest
  @MethodSource("usableKernels")
  void answersAsWellAsTheModelCardSays(String kernels) {
    List<JsonNode> questions = questions();
    Map<String, Integer> wrong = new TreeMap<>();
    try (LlamaModel model = DemoModel.builder().kernels(kernels).load()) {
      for (JsonNode question : questions) {
        String reply = reply(model, question.get("prompt").stringValue());
        if (!new Check(question.get("check")).passes(reply)) {
          wrong.merge(question.get("skill").stringValue(), 1, Integer::sum);
        }
      }
    }
    int wrongInAll = wrong.values().stream().mapToInt(Integer::intValue).sum();
    assertThat(questions).hasSize(360);
    assertThat(Math.round(100.0 * (questions.size() - wrongInAll) / questions.size()))
        .as("per cent right on %s; %d wrong, by skill: %s", kernels, wrongInAll, wrong)
        .isGreaterThanOrEqualTo(PERCENT_RIGHT);
  }

  private static String reply(LlamaModel model, String prompt) {
    int[] ids = model.tokenizer().encode(prompt, SpecialTokens.all());
    return model.prompt(ids).maxTokens(LONGEST_REPLY).temperature(0).generate().text();
  }

  private static List<JsonNode> questions() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                DemoModelTest.class.getResourceAsStream("/eval.jsonl"), StandardCharsets.UTF_8))) {
      return lines.lines().map(JsonMapper.shared()::readTree).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
