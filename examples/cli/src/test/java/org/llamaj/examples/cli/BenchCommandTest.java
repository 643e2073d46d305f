package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchCommandTest {

  @Test
  void printsAnArrayOfResults() {
    Run run =
        Run.of(
            "bench",
            "-p",
            "16",
            "-n",
            "4",
            "-r",
            "3",
            "--threads",
            "1",
            "--kernels",
            "scalar",
            "--output",
            "json");

    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    JsonNode results = JsonMapper.shared().readTree(run.out());
    assertThat(results.size()).isEqualTo(2);
    assertThat(results.get(0).get("test").stringValue()).isEqualTo("pp16");
    assertThat(results.get(1).get("test").stringValue()).isEqualTo("tg4");
    for (JsonNode result : results) {
      assertThat(result.propertyNames())
          .containsExactly("test", "tokens_per_second", "samples", "kernels", "threads");
      assertThat(result.get("kernels").stringValue()).isEqualTo("scalar");
      assertThat(result.get("threads").intValue()).isEqualTo(1);
      List<Double> samples = result.get("samples").valueStream().map(JsonNode::asDouble).toList();
      assertThat(samples).hasSize(3).allSatisfy(sample -> assertThat(sample).isPositive());
      assertThat(result.get("tokens_per_second").asDouble())
          .isEqualTo(samples.stream().sorted().toList().get(1));
    }
  }

  @Test
  void measuresAtDepth() {
    Run run = Run.of("bench", "-p", "0", "-n", "2,3", "-d", "8", "-r", "1", "-o", "json");
    assertThat(JsonMapper.shared().readTree(run.out()))
        .extracting(result -> result.get("test").stringValue())
        .containsExactly("tg2 @ d8", "tg3 @ d8");
  }

  @Test
  void printsTextForPeople() {
    Run run = Run.of("bench", "-p", "4", "-n", "0", "-r", "2");
    assertThat(run.out()).contains("Emberbrook").containsPattern("pp4 +[0-9.]+ tokens per second");
  }

  @ParameterizedTest
  @CsvSource({"-p 0 -n 0", "-p -1", "-r 0", "-d -2", "--output xml", "--threads 0"})
  void refusesWhatIsNoTest(String options) {
    Run run = Run.of(("bench " + options).split(" "));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("llama bench --help");
  }

  @Test
  void refusesMoreThanTheContext() {
    Run run = Run.of("bench", "-p", "2000");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("pp2000").contains("1024").hasLineCount(1);
  }

  @Test
  void takesTheMedianOfTheSamples() {
    Benchmark.Test test = new Benchmark.Test(1, 0, 0);
    assertThat(new Benchmark.Result(test, List.of(9.0, 1.0, 2.0)).median()).isEqualTo(2);
    assertThat(new Benchmark.Result(test, List.of(4.0, 1.0, 2.0, 9.0)).median()).isEqualTo(3);
    assertThat(new Benchmark.Result(test, List.of(1.0, 3.0)).deviation())
        .isCloseTo(Math.sqrt(2), within(1e-9));
  }
}
