package org.llamaj.examples.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.llamaj.LlamaException;
import org.llamaj.LlamaModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures speed. */
@Command(
    name = "bench",
    description = "Measures how fast a model reads prompts and generates.",
    footer = {
      "",
      "Each test runs once unmeasured, then several times; the median counts. pp512 reads a prompt",
      "of 512 tokens, tg128 generates 128; @ d4096 means that 4096 are in the cache before, b8 that",
      "prompts are read in passes of 8. -p, -n, -d and -b take lists, as in -b 1,2,4. GB/s and",
      "GFLOP/s count weights alone; read bandwidth is what a sum over memory reaches here."
    })
final class BenchCommand implements Callable<Integer> {
  private enum Output {
    TEXT,
    JSON,
    MD
  }

  @Spec private CommandSpec spec;
  @Mixin private ModelOptions modelOptions;

  @Option(
      names = {"-p", "--prompt-tokens"},
      paramLabel = "N",
      split = ",",
      defaultValue = "512",
      description = "Tokens of the prompt; 0 for no such test (default: ${DEFAULT-VALUE}).")
  private int[] promptTokens;

  @Option(
      names = {"-n", "--generated-tokens"},
      paramLabel = "N",
      split = ",",
      defaultValue = "128",
      description = "Tokens to generate; 0 for no such test (default: ${DEFAULT-VALUE}).")
  private int[] generatedTokens;

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "N",
      split = ",",
      defaultValue = "0",
      description = "Tokens in the cache before each test (default: ${DEFAULT-VALUE}).")
  private int[] depths;

  @Option(
      names = "--copied-depth",
      description = {
        "Do not read the tokens before a test: read 64 and copy their keys and values. Speed does not",
        "depend on what they are."
      })
  private boolean copiedDepth;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      defaultValue = "3",
      description = "How many runs are measured (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "TEXT",
      description = "text, json or md, a Markdown table (default: text).")
  private Output output;

  @Override
  public Integer call() {
    List<Benchmark.Test> tests = tests();
    PrintWriter out = spec.commandLine().getOut();
    try (LlamaModel model = modelOptions.loadForAllBatchSizes()) {
      int context = model.transformer().contextLength();
      for (Benchmark.Test test : tests) {
        if (test.depth() + test.tokens() > context) {
          throw new LlamaException(
              "%s: expected at most %d tokens, the context length, found %d; --context changes it"
                  .formatted(test.label(), context, test.depth() + test.tokens()));
        }
      }
      if (output == Output.TEXT) {
        out.println(model.describe());
      }
      Benchmark benchmark = new Benchmark(model, copiedDepth);
      List<Benchmark.Result> results =
          tests.stream().map(test -> run(benchmark, test, out)).toList();
      BenchReport report =
          BenchReport.of(model, modelOptions.residency(), benchmark.batchSize(), results);
      out.print(
          switch (output) {
            case TEXT -> report.text();
            case JSON -> report.json();
            case MD -> report.markdown();
          });
      out.flush();
    }
    return 0;
  }

  private List<Benchmark.Test> tests() {
    List<Benchmark.Test> tests = new ArrayList<>();
    for (int depth : depths) {
      for (int count : promptTokens) {
        for (int batchSize : batchSizes()) {
          tests.add(new Benchmark.Test(count, 0, depth, batchSize));
        }
      }
      for (int count : generatedTokens) {
        tests.add(new Benchmark.Test(0, count, depth, Benchmark.Test.WHOLE_BATCHES));
      }
    }
    boolean negative =
        IntStream.of(promptTokens).anyMatch(count -> count < 0)
            || IntStream.of(generatedTokens).anyMatch(count -> count < 0)
            || IntStream.of(depths).anyMatch(count -> count < 0)
            || modelOptions.batchSizes().stream().anyMatch(size -> size < 1);
    tests.removeIf(test -> test.tokens() == 0);
    if (negative || repetitions < 1 || tests.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "expected numbers of tokens and at least one test and repetition");
    }
    return tests;
  }

  /** A single size is that of the model. */
  private List<Integer> batchSizes() {
    List<Integer> sizes = modelOptions.batchSizes();
    return sizes.size() > 1 ? sizes : List.of(Benchmark.Test.WHOLE_BATCHES);
  }

  private Benchmark.Result run(Benchmark benchmark, Benchmark.Test test, PrintWriter out) {
    Benchmark.Result result = benchmark.run(test, repetitions);
    if (output == Output.TEXT) {
      out.printf(
          Locale.ROOT,
          "%-16s %10.2f tokens per second, +- %.2f%n",
          test.label(),
          result.median(),
          result.deviation());
    }
    return result;
  }
}
