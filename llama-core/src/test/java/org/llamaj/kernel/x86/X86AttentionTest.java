package org.llamaj.kernel.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.kernel.x86.machine.Emulator;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.tensor.FloatMatrix;

/** Cache and attention against the plain reference, at every level this processor has. */
class X86AttentionTest {

  @BeforeEach
  void needsProcessor() {
    assumeTrue(new X86KernelProvider().unavailable().isEmpty());
  }

  static Stream<Arguments> shapes() {
    return Stream.concat(floatShapes(), quantizedShapes());
  }

  private static Stream<Arguments> quantizedShapes() {
    return Stream.of(Level.AVX2, Level.AVX512, Level.AVX512VNNI)
        .flatMap(
            level ->
                Stream.of(CacheType.Q8_0, CacheType.Q4_0)
                    .flatMap(
                        type ->
                            Stream.of(
                                    shape(4, 1, 64, 0, type),
                                    shape(2, 2, 128, 0, type),
                                    shape(10, 2, 32, 70, type),
                                    shape(6, 3, 96, 0, type),
                                    shape(1, 1, 256, 9, type))
                                .map(shape -> Arguments.of(level, shape))));
  }

  private static Stream<Arguments> floatShapes() {
    return Stream.of(Level.AVX2, Level.AVX512)
        .flatMap(
            level ->
                Stream.of(CacheType.F32, CacheType.F16)
                    .flatMap(
                        type ->
                            Stream.of(
                                    shape(4, 1, 64, 0, type),
                                    shape(2, 2, 128, 0, type),
                                    shape(10, 2, 48, 70, type),
                                    shape(8, 1, 16, 0, type),
                                    shape(3, 3, 24, 0, type),
                                    shape(1, 1, 256, 9, type))
                                .map(shape -> Arguments.of(level, shape))));
  }

  private static AttentionShape shape(
      int heads, int kvHeads, int headDim, int chunk, CacheType type) {
    return new AttentionShape(1, heads, kvHeads, headDim, 0.3f, chunk, type);
  }

  /** Two layers' pages, in memory of no particular order. */
  private record Pages(MemorySegment[] layer0, MemorySegment[] layer1) implements PageTable {

    static Pages allocate(Arena arena, AttentionShape shape, int count) {
      return new Pages(allocateLayer(arena, shape, count), allocateLayer(arena, shape, count));
    }

    private static MemorySegment[] allocateLayer(Arena arena, AttentionShape shape, int count) {
      return IntStream.range(0, count)
          .mapToObj(i -> arena.allocate(shape.pageBytes(), 64))
          .toArray(MemorySegment[]::new);
    }

    @Override
    public MemorySegment segment(int layer, int page) {
      return (layer == 0 ? layer0 : layer1)[page];
    }

    @Override
    public long address(int layer, int page) {
      return segment(layer, page).address();
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void attendsAsTheReference(Level level, AttentionShape shape) {
    Emulator.assumeRuns(level);
    // Prompts that start at 0 and in the middle of a page, and single tokens at several depths.
    int[] firstPositions = {0, 37, 63, 64, 200};
    int[] rows = {131, 90, 1, 1, 1};
    int total = IntStream.of(rows).sum();
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(3);
        Workers one = new Workers(1);
        Kernels x86 = new X86Kernels(level, workers, () -> null);
        Kernels scalar = new ScalarKernelProvider().open(one)) {
      FloatMatrix expected = FloatMatrix.allocate(arena, total, shape.heads() * shape.headDim());
      FloatMatrix actual = FloatMatrix.allocate(arena, total, shape.heads() * shape.headDim());
      Span[] expectedSpans = spans(arena, shape, firstPositions, rows, 5);
      Span[] actualSpans = spans(arena, shape, firstPositions, rows, 5);
      run(scalar, arena, shape, expectedSpans, expected);
      run(x86, arena, shape, actualSpans, actual);

      for (int i = 0; i < rows.length; i++) {
        for (int page = 0; page < 5; page++) {
          assertThat(
                  actualSpans[i]
                      .pages()
                      .segment(1, page)
                      .mismatch(expectedSpans[i].pages().segment(1, page)))
              .as("page %d of span %d", page, i)
              .isEqualTo(-1);
        }
      }
      // With VNNI, queries and weights meet quantised pages rounded to 16 bits.
      boolean rounds = level == Level.AVX512VNNI && shape.cacheType().isQuantized();
      assertClose(actual, expected, rounds ? 3e-4f : 2e-5f);
    }
  }

  /** One key/value head and many threads: the context is divided, and its parts combined. */
  @ParameterizedTest
  @EnumSource(
      value = Level.class,
      names = {"AVX2", "AVX512"})
  void dividesALongContext(Level level) {
    Emulator.assumeRuns(level);
    for (int chunk : new int[] {0, 500}) {
      AttentionShape shape = shape(3, 1, 64, chunk, CacheType.F16);
      int[] firstPositions = {1000, 999, 5};
      int[] rows = {1, 2, 1};
      try (Arena arena = Arena.ofShared();
          Workers workers = new Workers(4);
          Workers one = new Workers(1);
          Kernels x86 = new X86Kernels(level, workers, () -> null);
          Kernels scalar = new ScalarKernelProvider().open(one)) {
        FloatMatrix expected = FloatMatrix.allocate(arena, 4, 3 * 64);
        FloatMatrix actual = FloatMatrix.allocate(arena, 4, 3 * 64);
        run(scalar, arena, shape, spans(arena, shape, firstPositions, rows, 16), expected);
        run(x86, arena, shape, spans(arena, shape, firstPositions, rows, 16), actual);

        assertClose(actual, expected, 2e-5f);
      }
    }
  }

  private static void assertClose(FloatMatrix actual, FloatMatrix expected, float tolerance) {
    for (int row = 0; row < expected.rows(); row++) {
      for (int column = 0; column < expected.columns(); column++) {
        assertThat(actual.get(row, column))
            .as("row %d, column %d", row, column)
            .isCloseTo(expected.get(row, column), offset(tolerance));
      }
    }
  }

  private static Span[] spans(
      Arena arena, AttentionShape shape, int[] firstPositions, int[] rows, int pages) {
    Span[] spans = new Span[rows.length];
    int firstRow = 0;
    for (int i = 0; i < rows.length; i++) {
      spans[i] =
          new Span(Pages.allocate(arena, shape, pages), firstRow, rows[i], firstPositions[i]);
      firstRow += rows[i];
    }
    return spans;
  }

  /** Fills the caches before the spans, then stores and attends as a layer does. */
  private static void run(
      Kernels kernels, Arena arena, AttentionShape shape, Span[] spans, FloatMatrix output) {
    SplittableRandom random = new SplittableRandom(3);
    int columns = shape.kvHeads() * shape.headDim();
    for (Span span : spans) {
      int before = span.firstPosition();
      if (before > 0) {
        Span[] earlier = {new Span(span.pages(), 0, before, 0)};
        kernels.store(
            random(arena, random, before, columns),
            random(arena, random, before, columns),
            earlier,
            1,
            shape);
      }
    }
    int rows = output.rows();
    kernels.store(
        random(arena, random, rows, columns),
        random(arena, random, rows, columns),
        spans,
        spans.length,
        shape);
    FloatMatrix queries = random(arena, random, rows, output.columns());
    kernels.attention(queries, spans, spans.length, shape, output);
  }

  private static FloatMatrix random(Arena arena, SplittableRandom random, int rows, int columns) {
    FloatMatrix x = FloatMatrix.allocate(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        x.set(row, column, (float) random.nextDouble(-2, 2));
      }
    }
    return x;
  }
}
