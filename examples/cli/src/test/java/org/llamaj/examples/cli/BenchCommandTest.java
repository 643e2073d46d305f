package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
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
          .startsWith("test", "tokens_per_second", "samples", "kernels", "threads");
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
  void measuresEachCombinationOfLists() {
    Run run = Run.of("bench -p 9,4 -b 1,3 -n 2,3 -d 0,8 -r 1 -o json".split(" "));
    assertThat(run.status()).isZero();
    JsonNode results = JsonMapper.shared().readTree(run.out());
    assertThat(results)
        .extracting(result -> result.get("test").stringValue())
        .containsExactly(
            "pp9 b1",
            "pp9 b3",
            "pp4 b1",
            "pp4 b3",
            "tg2",
            "tg3",
            "pp9 b1 @ d8",
            "pp9 b3 @ d8",
            "pp4 b1 @ d8",
            "pp4 b3 @ d8",
            "tg2 @ d8",
            "tg3 @ d8");
    assertThat(results.valueStream().limit(5))
        .extracting(result -> result.get("batch_size").intValue())
        .containsExactly(1, 3, 1, 3, 3);
  }

  @Test
  void otherCommandsTakeOneBatchSize() {
    Run run = Run.of("generate", "-b", "1,2", "Hello");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("--batch-size: expected one number, found 2");
  }

  @ParameterizedTest
  @CsvSource({"8", "64", "200"})
  void measuresAtACopiedDepth(int depth) {
    Run run = Run.of(("bench -p 0 -n 2 --copied-depth -r 1 -o json -d " + depth).split(" "));
    assertThat(run.status()).isZero();
    assertThat(JsonMapper.shared().readTree(run.out()))
        .extracting(result -> result.get("test").stringValue())
        .containsExactly("tg2 @ d" + depth);
  }

  @Test
  void addsWhatItRanOn() {
    Run run = Run.of("bench", "-p", "9", "-n", "2", "-b", "4", "-r", "1", "-o", "json");
    JsonNode results = JsonMapper.shared().readTree(run.out());
    JsonNode prompt = results.get(0);
    JsonNode generation = results.get(1);
    assertThat(prompt.get("flops_per_second").asDouble()).isPositive();
    assertThat(generation.get("weight_bytes_per_second").asDouble()).isPositive();
    assertThat(prompt.has("weight_bytes_per_second")).isFalse();
    assertThat(generation.has("flops_per_second")).isFalse();
    double bandwidth = generation.get("read_bandwidth_bytes_per_second").asDouble();
    assertThat(bandwidth).isPositive();
    assertThat(generation.get("read_bandwidth_fraction").asDouble())
        .isCloseTo(generation.get("weight_bytes_per_second").asDouble() / bandwidth, within(1e-9));
    for (JsonNode result : results) {
      assertThat(result.get("batch_size").intValue()).isEqualTo(4);
      assertThat(result.get("residency").stringValue()).isEqualTo("mapped");
      assertThat(result.get("machine").propertyNames())
          .containsExactly("cpu", "processors", "os", "jvm");
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void tellsMemoryAndHugePages() throws IOException {
    String huge = Files.readString(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"));
    assumeThat(huge).doesNotContain("[never]");
    Run run = Run.of("bench", "-p", "0", "-n", "2", "-r", "1", "--huge-pages", "-o", "json");
    JsonNode result = JsonMapper.shared().readTree(run.out()).get(0);
    assertThat(result.get("residency").stringValue()).isEqualTo("huge_pages");
    JsonNode memory = result.get("memory_bytes");
    assertThat(memory.get("resident").asLong())
        .isBetween(memory.get("anonymous").asLong(), memory.get("peak").asLong());
  }

  @Test
  void printsTextForPeople() {
    Run run = Run.of("bench", "-p", "4", "-n", "2", "-r", "2");
    assertThat(run.out())
        .contains("Emberbrook", "weights mapped", "read bandwidth: ", "machine: ")
        .containsPattern("pp4 +[0-9.]+ tokens per second")
        .containsPattern("pp4: [0-9.]+ GFLOP/s\\R")
        .containsPattern("tg2: [0-9.]+ GB/s of weights, [0-9]+% of the read bandwidth\\R");
  }

  @Test
  void printsAMarkdownTable() {
    Run run = Run.of("bench", "-p", "4", "-n", "2", "-d", "8", "-r", "1", "--output", "md");
    assertThat(run.status()).isZero();
    List<String> lines = run.out().lines().toList();
    assertThat(lines.get(0))
        .isEqualTo("| test | tokens/s | +- | weights GB/s | of read bandwidth | GFLOP/s |");
    assertThat(lines.get(1)).isEqualTo("|---|---:|---:|---:|---:|---:|");
    assertThat(lines.get(2)).matches("\\| pp4 @ d8 \\| [0-9.]+ \\| 0.00 \\|  \\|  \\| [0-9.]+ \\|");
    assertThat(lines.get(3))
        .matches("\\| tg2 @ d8 \\| [0-9.]+ \\| 0.00 \\| [0-9.]+ \\| [0-9]+% \\|  \\|");
    assertThat(lines.get(4)).isEmpty();
    assertThat(lines.subList(5, lines.size()))
        .hasSizeGreaterThanOrEqualTo(4)
        .allMatch(line -> line.startsWith("- "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-p 0 -n 0",
        "-p -1",
        "-r 0",
        "-d -2",
        "-b 0",
        "-b 4,0",
        "--output xml",
        "--threads 0"
      })
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
    Benchmark.Test test = new Benchmark.Test(1, 0, 0, Benchmark.Test.WHOLE_BATCHES);
    assertThat(new Benchmark.Result(test, List.of(9.0, 1.0, 2.0)).median()).isEqualTo(2);
    assertThat(new Benchmark.Result(test, List.of(4.0, 1.0, 2.0, 9.0)).median()).isEqualTo(3);
    assertThat(new Benchmark.Result(test, List.of(1.0, 3.0)).deviation())
        .isCloseTo(Math.sqrt(2), within(1e-9));
  }
}
