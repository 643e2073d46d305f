package org.llamaj.examples.benchmarks;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.llamaj.kernel.Projection;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
 * Products with a matrix of 65536 x 2048 weights, too large for the caches: one row is the product
 * of decoding, bound by memory (weights' bytes / time), many rows that of a prompt, bound by
 * arithmetic (2 x rows x 65536 x 2048 / time). Two threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "-Xmx1g"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProjectionBenchmark {
  private static final int OUTPUTS = 65_536;
  private static final int INPUTS = 2048;

  /** Kernel provider. */
  @Param({"x86", "vector"})
  public String kernels;

  /** Element type of the weights. */
  @Param({"Q8_0", "Q4_0", "Q4_K", "Q6_K", "F16"})
  public ElementType type;

  /** Activation rows. */
  @Param({"1", "8", "128"})
  public int rows;

  private OpenKernels open;
  private FloatMatrix input;
  private Projection[] projections;

  /** Makes weights of plain bytes: the time does not depend on their values. */
  @Setup(Level.Trial)
  public void open() {
    open = OpenKernels.of(kernels);
    MemorySegment weights = open.arena().allocate(type.rowBytes(INPUTS) * OUTPUTS, 64);
    weights.fill((byte) 0x3c);
    Tensor tensor = new Tensor("weights", type, Shape.of(OUTPUTS, INPUTS), weights);
    input = FloatMatrix.allocate(open.arena(), rows, INPUTS);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < INPUTS; i++) {
        input.set(row, i, (i * 37 + row) % 101 / 50f - 1);
      }
    }
    FloatMatrix output = FloatMatrix.allocate(open.arena(), rows, OUTPUTS);
    projections = new Projection[] {new Projection(open.kernels().weightMatrix(tensor), output)};
  }

  /** The product. */
  @Benchmark
  public void project() {
    open.kernels().project(input, rows, projections);
  }

  /** Releases threads and memory. */
  @TearDown(Level.Trial)
  public void close() {
    open.close();
  }
}
