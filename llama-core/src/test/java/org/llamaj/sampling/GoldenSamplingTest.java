package org.llamaj.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the steps leave, against reference data. */
class GoldenSamplingTest {
  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in =
        GoldenSamplingTest.class.getResourceAsStream("/golden/sampling/cases.jsonl")) {
      JsonMapper mapper = new JsonMapper();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines().map(mapper::readTree).toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void keepsTheSameTokensWithTheSameProbabilities(JsonNode golden) {
    float[] logits = new float[golden.get("logits").size()];
    for (int i = 0; i < logits.length; i++) {
      JsonNode value = golden.get("logits").get(i);
      logits[i] = value.isNull() ? Float.NEGATIVE_INFINITY : (float) value.asDouble();
    }
    Candidates candidates = new Candidates(logits.length);
    candidates.reset(logits);
    SamplingContext context = new SamplingContext(logits.length, _ -> "", null);
    for (SamplingStep step : steps(golden.get("chain"))) {
      SamplingStep.Stage stage = step.begin(context);
      golden.get("previous_tokens").forEach(token -> stage.accept(token.asInt()));
      stage.apply(candidates);
    }

    int mostProbable = candidates.id(candidates.mostProbable());
    float[] probabilities = candidates.probabilities();
    Map<Integer, Double> kept = new TreeMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      if (probabilities[i] > 0) {
        kept.put(candidates.id(i), (double) probabilities[i]);
      }
    }
    Map<Integer, Double> expected = new TreeMap<>();
    golden
        .get("kept")
        .forEach(
            pair -> {
              if (pair.get(1).asDouble() > 0) {
                expected.put(pair.get(0).asInt(), pair.get(1).asDouble());
              }
            });
    assertThat(kept.keySet()).isEqualTo(expected.keySet());
    expected.forEach((id, p) -> assertThat(kept.get(id)).isCloseTo(p, within(2e-6)));
    assertThat(mostProbable).isEqualTo(golden.get("argmax").asInt());
  }

  private static List<SamplingStep> steps(JsonNode chain) {
    List<SamplingStep> steps = new ArrayList<>();
    for (JsonNode step : chain) {
      steps.add(
          switch (step.get("type").asString()) {
            case "temperature" -> new Temperature(number(step, "t"));
            case "top_k" -> new TopK(Math.max(0, step.get("k").asInt()));
            case "top_p" -> new TopP(Math.min(1, number(step, "p")));
            case "min_p" -> new MinP(number(step, "p"));
            case "typical_p" -> new Typical(number(step, "p"));
            case "top_n_sigma" -> new TopNSigma(number(step, "n"));
            case "penalties" ->
                new Penalties(
                    step.get("last_n").asInt(),
                    number(step, "repeat"),
                    number(step, "frequency"),
                    number(step, "presence"));
            case "logit_bias" -> bias(step.get("bias"));
            default -> throw new IllegalArgumentException(step.toString());
          });
    }
    return steps;
  }

  private static SamplingStep bias(JsonNode pairs) {
    Map<Integer, Float> bias = new HashMap<>();
    for (JsonNode pair : pairs) {
      JsonNode value = pair.get(1);
      bias.put(
          pair.get(0).asInt(), value.isNull() ? Float.NEGATIVE_INFINITY : (float) value.asDouble());
    }
    return new LogitBias(bias);
  }

  private static float number(JsonNode step, String name) {
    return (float) step.get(name).asDouble();
  }
}
