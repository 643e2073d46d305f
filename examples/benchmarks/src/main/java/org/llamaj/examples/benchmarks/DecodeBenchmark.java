package org.llamaj.examples.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.llamaj.LlamaModel;
import org.llamaj.checkpoint.gguf.FileType;
import org.llamaj.checkpoint.synth.ModelPreset;
import org.llamaj.checkpoint.synth.ModelSynthesizer;
import org.llamaj.transformer.Batch;
import org.llamaj.transformer.Sequence;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A whole decode step: one token through all layers to its logits, at depths from 0 to 1023. With
 * {@code -prof gc} it tells what a step allocates on the heap. Two threads, random weights.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-Xmx1g"
    })
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
public class DecodeBenchmark {
  private static final int DEPTH = 1024;
  private static final int TOKEN = 7;

  /** Kernel provider. */
  @Param({"x86", "vector"})
  public String kernels;

  /** The model's shape. */
  @Param("tiny-dense")
  public String preset;

  /** How its weights are stored. */
  @Param({"Q4_K_M", "Q8_0"})
  public FileType type;

  private Path file;
  private LlamaModel model;
  private Sequence sequence;
  private Batch batch;

  /** Writes and loads a model. */
  @Setup
  public void setUp() throws IOException {
    file = Files.createTempFile("decode-benchmark-", ".gguf");
    new ModelSynthesizer(ModelPreset.of(preset).shape(), type, 1).write(file, (_, _) -> {});
    model = LlamaModel.builder(file).kernels(kernels).threads(2).contextLength(DEPTH).load();
    sequence = model.transformer().newSequence();
    batch = model.transformer().newBatch();
  }

  /** Gives all back. */
  @TearDown
  public void tearDown() throws IOException {
    sequence.close();
    model.close();
    Files.delete(file);
  }

  /** One token. */
  @Benchmark
  public float[] decode() {
    if (sequence.length() == DEPTH) {
      sequence.truncate(0);
    }
    batch.clear();
    batch.add(sequence, TOKEN).wantLogits();
    model.transformer().forward(batch);
    return batch.logits(0);
  }
}
