package org.llamaj.examples.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.llamaj.LlamaModel;
import org.llamaj.Residency;
import org.llamaj.kernel.Roof;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a benchmark tells: speeds, and what one must know to compare them with others.
 *
 * @param model its name
 * @param weights bytes of the model's file
 * @param kernels the name of their provider
 * @param threads that computed
 * @param batchSize tokens of a prompt in a forward pass, where a test names no number of its own
 * @param residency where the weights were
 * @param work what the model does with its weights
 * @param results of the tests
 * @param memory after the tests; empty where the system does not tell
 * @param readBandwidth bytes per second that the machine reads, or the device at most; empty if it
 *     could not be measured
 * @param roof of the device; empty without one
 * @param machine where this was
 */
record BenchReport(
    String model,
    long weights,
    String kernels,
    int threads,
    int batchSize,
    Residency residency,
    WeightWork work,
    List<Benchmark.Result> results,
    Optional<ResidentMemory> memory,
    OptionalDouble readBandwidth,
    Optional<Roof> roof,
    Machine machine) {

  /** Reports on tests that have run; memory is looked at before the bandwidth test takes some. */
  static BenchReport of(
      LlamaModel model, Residency residency, int batchSize, List<Benchmark.Result> results) {
    Optional<ResidentMemory> memory = ResidentMemory.now();
    return new BenchReport(
        model.checkpoint().metadata().string("general.name").orElse(model.checkpoint().source()),
        model.checkpoint().totalBytes(),
        model.kernels(),
        model.threads(),
        batchSize,
        residency,
        WeightWork.of(model),
        results,
        memory,
        model
            .roof()
            .map(roof -> OptionalDouble.of(roof.bytesPerSecond()))
            .orElseGet(() -> ReadBandwidth.measure(model.threads())),
        model.roof(),
        Machine.here());
  }

  /** An array with an object for each test. */
  String json() {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (Benchmark.Result result : results) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("test", result.test().label());
      row.put("tokens_per_second", result.median());
      row.put("samples", result.samples());
      row.put("kernels", kernels);
      row.put("threads", threads);
      int ofTest = result.test().batchSize();
      row.put("batch_size", ofTest == Benchmark.Test.WHOLE_BATCHES ? batchSize : ofTest);
      row.put("residency", lower(residency));
      bytesPerSecond(result).ifPresent(bytes -> row.put("weight_bytes_per_second", bytes));
      fraction(result).ifPresent(fraction -> row.put("read_bandwidth_fraction", fraction));
      operationsPerSecond(result).ifPresent(flops -> row.put("flops_per_second", flops));
      peakFraction(result).ifPresent(fraction -> row.put("peak_flops_fraction", fraction));
      readBandwidth.ifPresent(bytes -> row.put("read_bandwidth_bytes_per_second", bytes));
      memory.ifPresent(bytes -> row.put("memory_bytes", bytes));
      row.put("machine", machine);
      rows.add(row);
    }
    return JsonMapper.shared().writeValueAsString(rows) + System.lineSeparator();
  }

  /** A table of the tests, and a list of what they ran on. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    line(text, "| test | tokens/s | +- | weights GB/s | of read bandwidth | GFLOP/s |");
    line(text, "|---|---:|---:|---:|---:|---:|");
    for (Benchmark.Result result : results) {
      line(
          text,
          "| %s | %.2f | %.2f | %s | %s | %s |",
          result.test().label(),
          result.median(),
          result.deviation(),
          giga(bytesPerSecond(result)),
          percent(fraction(result)),
          giga(operationsPerSecond(result)));
    }
    line(text, "");
    facts().lines().forEach(fact -> line(text, "- %s", fact));
    return text.toString();
  }

  /** What the tests reached and ran on, in addition to their speeds. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (Benchmark.Result result : results) {
      line(text, "%s: %s", result.test().label(), rate(result));
    }
    return text.append(facts()).toString();
  }

  private String rate(Benchmark.Result result) {
    OptionalDouble bytes = bytesPerSecond(result);
    if (bytes.isEmpty()) {
      OptionalDouble peak = peakFraction(result);
      return giga(operationsPerSecond(result))
          + " GFLOP/s"
          + (peak.isEmpty() ? "" : ", " + percent(peak) + " of the device's peak");
    }
    OptionalDouble fraction = fraction(result);
    String share = fraction.isEmpty() ? "" : ", " + percent(fraction) + " of the read bandwidth";
    return giga(bytes) + " GB/s of weights" + share;
  }

  private String facts() {
    StringBuilder text = new StringBuilder();
    line(text, "model: %s, %s, weights %s", model, ByteSize.of(weights), where());
    line(text, "kernels: %s, %d threads, batches of %d tokens", kernels, threads, batchSize);
    line(text, "machine: %s, %d processors", machine.cpu(), machine.processors());
    line(text, "system: %s, %s", machine.os(), machine.jvm());
    memory.ifPresent(
        bytes ->
            line(
                text,
                "resident memory: %s, %s own and %s of files, peak %s",
                ByteSize.of(bytes.resident()),
                ByteSize.of(bytes.anonymous()),
                ByteSize.of(bytes.file()),
                ByteSize.of(bytes.peak())));
    if (roof.isPresent()) {
      line(
          text,
          "device: %s, at most %.0f GB/s and %.0f TFLOP/s by its clocks",
          roof.get().device(),
          roof.get().bytesPerSecond() / 1e9,
          roof.get().operationsPerSecond() / 1e12);
    } else if (readBandwidth.isPresent()) {
      line(text, "read bandwidth: %s GB/s with %d threads", giga(readBandwidth), threads);
    }
    return text.toString();
  }

  private String where() {
    return switch (residency) {
      case MAPPED -> "mapped";
      case HUGE_PAGES -> "copied into huge pages";
    };
  }

  /** How fast weights are read; for generation, which memory limits. */
  private OptionalDouble bytesPerSecond(Benchmark.Result result) {
    return result.test().generatedTokens() == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(work.bytesPerToken() * result.median());
  }

  private OptionalDouble fraction(Benchmark.Result result) {
    OptionalDouble bytes = bytesPerSecond(result);
    return bytes.isEmpty() || readBandwidth.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(bytes.getAsDouble() / readBandwidth.getAsDouble());
  }

  /** How fast weights are multiplied; for prompts, which arithmetic limits. */
  private OptionalDouble operationsPerSecond(Benchmark.Result result) {
    int tokens = result.test().promptTokens();
    return tokens == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(work.promptOperations(tokens) / tokens * result.median());
  }

  private OptionalDouble peakFraction(Benchmark.Result result) {
    OptionalDouble operations = operationsPerSecond(result);
    return operations.isEmpty() || roof.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(operations.getAsDouble() / roof.get().operationsPerSecond());
  }

  private static String giga(OptionalDouble value) {
    return value.isEmpty() ? "" : String.format(Locale.ROOT, "%.1f", value.getAsDouble() / 1e9);
  }

  private static String percent(OptionalDouble fraction) {
    return fraction.isEmpty()
        ? ""
        : String.format(Locale.ROOT, "%.0f%%", 100 * fraction.getAsDouble());
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
  }
}
