package org.llamaj.examples.benchmarks;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Span;
import org.llamaj.tensor.FloatMatrix;
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
 * Attention of one layer of Llama 3.2 1B (32 query and 8 key/value heads of 64, F16 cache) at a
 * depth: one row is a decode step, many rows a chunk of a prompt. Two threads.
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
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AttentionBenchmark {

  /** Kernel provider. */
  @Param({"x86", "vector"})
  public String kernels;

  /** Tokens in the cache before the rows. */
  @Param({"0", "4096", "16384"})
  public int depth;

  /** Query rows. */
  @Param({"1", "512"})
  public int rows;

  private final AttentionShape shape = new AttentionShape(0, 32, 8, 64, 0.125f, 0, CacheType.F16);
  private OpenKernels open;
  private FloatMatrix queries;
  private FloatMatrix output;
  private Span[] spans;

  /** Fills a cache with small numbers. */
  @Setup(Level.Trial)
  public void open() {
    open = OpenKernels.of(kernels);
    int pages = (depth + rows + AttentionShape.PAGE_TOKENS - 1) / AttentionShape.PAGE_TOKENS;
    MemorySegment cache = open.arena().allocate(shape.pageBytes() * pages, 64);
    cache.fill((byte) 0x2c);
    PageTable table =
        new PageTable() {
          @Override
          public MemorySegment segment(int layer, int page) {
            return cache.asSlice(page * shape.pageBytes(), shape.pageBytes());
          }

          @Override
          public long address(int layer, int page) {
            return cache.address() + page * shape.pageBytes();
          }
        };
    queries = FloatMatrix.allocate(open.arena(), rows, 32 * 64);
    output = FloatMatrix.allocate(open.arena(), rows, 32 * 64);
    spans = new Span[] {new Span(table, 0, rows, depth)};
  }

  /** Attention of all rows. */
  @Benchmark
  public void attend() {
    open.kernels().attention(queries, spans, 1, shape, output);
  }

  /** Releases threads and memory. */
  @TearDown(Level.Trial)
  public void close() {
    open.close();
  }
}
