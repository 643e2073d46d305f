package org.llamaj.examples.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.llamaj.tokenizer.Tokenizer;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Encoding and decoding a long text, one thread. The counter {@code megabytes} is the figure to
 * look at: MB (10^6 bytes of UTF-8) per second.
 *
 * <p>Vocabularies and text come from a folder of reference data, {@code -jvmArgsAppend
 * -Dgolden.dir=...}. The words that encoding remembers from earlier rounds are part of {@code
 * encode}; {@code encodeWithNewTokenizer} starts without them, but pays for building the tokenizer.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class TokenizerBenchmark {
  /** The tokenizer file. */
  @Param({"llama3/tokenizer.model", "llama4/tokenizer.model", "llama2/tokenizer.model"})
  public String vocabulary;

  private Path file;
  private Tokenizer tokenizer;
  private String text;
  private int[] ids;
  private double megabytesOfText;

  /** Counts the text that was worked on. */
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Volume {
    /** 10^6 bytes of UTF-8. */
    public double megabytes;
  }

  /** Reads vocabulary and text. */
  @Setup
  public void read() throws IOException {
    Path folder = Path.of(System.getProperty("golden.dir", "../shared/golden"), "tokenizer");
    file = folder.resolve(vocabulary);
    tokenizer = Tokenizer.load(file);
    text = Files.readString(folder.resolve("throughput/mixed.txt"));
    megabytesOfText = text.getBytes(StandardCharsets.UTF_8).length / 1e6;
    ids = tokenizer.encode(text);
  }

  /** Text to ids. */
  @Benchmark
  public int[] encode(Volume volume) {
    volume.megabytes += megabytesOfText;
    return tokenizer.encode(text);
  }

  /** Reading the vocabulary, then text to ids. */
  @Benchmark
  public int[] encodeWithNewTokenizer(Volume volume) {
    volume.megabytes += megabytesOfText;
    return Tokenizer.load(file).encode(text);
  }

  /** Ids to text. */
  @Benchmark
  public String decode(Volume volume) {
    volume.megabytes += megabytesOfText;
    return tokenizer.decode(ids);
  }
}
