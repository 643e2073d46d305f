package org.llamaj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.llamaj.Residency;
import org.llamaj.kernel.Roof;

class BenchReportTest {
  private static final List<Benchmark.Result> RESULTS =
      List.of(
          new Benchmark.Result(
              new Benchmark.Test(10, 0, 0, Benchmark.Test.WHOLE_BATCHES), List.of(100.0)),
          new Benchmark.Result(
              new Benchmark.Test(0, 4, 4096, Benchmark.Test.WHOLE_BATCHES), List.of(20.0)));

  @Test
  void derivesRatesFromTheWork() {
    BenchReport report = report(OptionalDouble.of(25e9));
    assertThat(report.text())
        .contains("pp10: 205.0 GFLOP/s", "tg4 @ d4096: 20.0 GB/s of weights, 80% of the read");
    assertThat(report.markdown())
        .contains("| pp10 | 100.00 | 0.00 |  |  | 205.0 |")
        .contains("| tg4 @ d4096 | 20.00 | 0.00 | 20.0 | 80% |  |")
        .contains("- model: Tiny, 3.0 GiB, weights copied into huge pages");
  }

  @Test
  void leavesOutWhatIsNotKnown() {
    BenchReport report = report(OptionalDouble.empty());
    assertThat(report.text().lines())
        .contains("tg4 @ d4096: 20.0 GB/s of weights")
        .noneMatch(line -> line.contains("bandwidth") || line.contains("memory"));
    assertThat(report.markdown()).contains("| tg4 @ d4096 | 20.00 | 0.00 | 20.0 |  |  |");
    assertThat(report.json())
        .contains("\"weight_bytes_per_second\":2.0E10")
        .doesNotContain("read_bandwidth", "memory_bytes");
  }

  @Test
  void ofADeviceTellsTheSharesOfItsRoofs() {
    BenchReport report =
        new BenchReport(
            "Tiny",
            3L << 30,
            "cuda",
            2,
            512,
            Residency.MAPPED,
            new WeightWork(1_000_000_000, 2_000_000_000, 500_000_000),
            RESULTS,
            Optional.empty(),
            OptionalDouble.of(1e11),
            Optional.of(new Roof("a device", 1e11, 1e13)),
            new Machine("a processor", 2, "an os", "a jvm"));
    assertThat(report.text().lines())
        .contains(
            "tg4 @ d4096: 20.0 GB/s of weights, 20% of the read bandwidth",
            "device: a device, at most 100 GB/s and 10 TFLOP/s by its clocks")
        .anyMatch(line -> line.matches("pp.*GFLOP/s, \\d+% of the device's peak"));
    assertThat(report.json()).contains("\"peak_flops_fraction\":");
  }

  private static BenchReport report(OptionalDouble readBandwidth) {
    return new BenchReport(
        "Tiny",
        3L << 30,
        "x86",
        2,
        512,
        Residency.HUGE_PAGES,
        new WeightWork(1_000_000_000, 2_000_000_000, 500_000_000),
        RESULTS,
        Optional.empty(),
        readBandwidth,
        Optional.empty(),
        new Machine("a processor", 2, "an os", "a jvm"));
  }
}
