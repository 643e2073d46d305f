package org.llamaj.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.LlamaException;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Every kernel provider that can run here against the scalar one: all weight types, sizes that are
 * no multiples of anything, unaligned weights, several thread counts.
 *
 * <p>Tolerances follow from the arithmetic. A float32 product of n terms is off by a few units of
 * 2^-24 of the operands' norms. Providers that round activations to 8 bits for weights that are not
 * F32 are off by up to half a step, 1/254 of a block's greatest activation, in each; the errors add
 * up like a random walk.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("providers")
class KernelParityTest {

  private static final double FLOAT_ERROR = 3e-6;

  /**
   * Half a step (of normal activations, whose maximum is about 4 deviations), times 5 deviations.
   */
  private static final double EIGHT_BIT_ERROR = 5 * 4 / 254.0 / Math.sqrt(3);

  /** Providers whose kernels round activations where the weights are rounded themselves. */
  private static final List<String> ROUNDING = List.of("x86", "vector", "cuda");

  @Parameter KernelProvider provider;

  private final Arena arena = Arena.ofShared();
  private final RandomTensors random = new RandomTensors(arena, 7);
  private final List<AutoCloseable> open = new ArrayList<>();

  static List<KernelProvider> providers() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty())
        .toList();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
    arena.close();
  }

  private Kernels kernels(KernelProvider from, int threads) {
    Workers workers = new Workers(threads);
    open.add(workers);
    Kernels kernels = from.open(workers);
    open.add(kernels);
    return kernels;
  }

  private Kernels kernels(int threads) {
    return kernels(provider, threads);
  }

  private Kernels reference() {
    return kernels(new ScalarKernelProvider(), 1);
  }

  private double tolerance(ElementType type, int columns) {
    return type == ElementType.F32 || !ROUNDING.contains(provider.name())
        ? FLOAT_ERROR
        : FLOAT_ERROR + EIGHT_BIT_ERROR / Math.sqrt(columns);
  }

  /** With VNNI, queries and weights meet quantised pages rounded to 16 bits. */
  private double tolerance(CacheType cacheType) {
    return cacheType.isQuantized() && provider.name().equals("x86") ? 3e-4 : 1e-5;
  }

  static Stream<ElementType> types() {
    return Arrays.stream(ElementType.values()).filter(KernelParityTest::isWeightType);
  }

  private static boolean isWeightType(ElementType type) {
    if (!type.isQuantised()) {
      return List.of(ElementType.F32, ElementType.F16, ElementType.BF16).contains(type);
    }
    int block = type.blockSize();
    try {
      MemorySegment bytes = MemorySegment.ofArray(new byte[type.blockBytes()]);
      Dequantizer.dequantize(type, bytes, 0, new float[block], 0, block);
      return true;
    } catch (LlamaException e) {
      return false;
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void projects(ElementType type) {
    int[] columns =
        type.isQuantised()
            ? new int[] {type.blockSize(), 3 * type.blockSize(), 5 * type.blockSize()}
            : new int[] {1, 37, 515};
    Kernels reference = reference();
    for (int threads = 1; threads <= 4; threads++) {
      Kernels kernels = kernels(threads);
      int k = columns[threads % columns.length];
      Tensor wide = random.tensor(type, 67, k);
      Tensor narrow = random.tensor(type, 7, k);
      Tensor single = random.tensor(ElementType.F32, 1, k);
      for (int rows : new int[] {1, 2, 3, 4, 5, 7, 8, 9, 17, 33, 67}) {
        compareProjections(reference, kernels, rows, wide, narrow, single);
      }
    }
  }

  /** More columns than any panel holds, and more rows than are multiplied at a time. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "Q8_0", "Q4_K"})
  void projectsLargeMatrices(ElementType type) {
    Kernels kernels = kernels(2);
    compareProjections(reference(), kernels, 5, random.tensor(type, 67, 11 * 1024 + 256));
    compareProjections(reference(), kernels, 40, random.tensor(type, 67, 2 * 1024 + 256));
    compareProjections(reference(), kernels, 1050, random.tensor(type, 33, 256));
  }

  private void compareProjections(Kernels reference, Kernels kernels, int rows, Tensor... tensors) {
    int k = (int) tensors[0].columns();
    FloatMatrix input = random.matrix(rows + 1, k);
    Projection[] expected = projections(reference, rows, tensors);
    Projection[] found = projections(kernels, rows, tensors);
    reference.project(input, rows, expected);
    kernels.project(input, rows, found);
    double[] norms = IntStream.range(0, rows).mapToDouble(row -> norm(input, row)).toArray();
    float[] weights = new float[k];
    for (int t = 0; t < tensors.length; t++) {
      double tolerance = tolerance(tensors[t].type(), k);
      for (int o = 0; o < tensors[t].rows(); o++) {
        Dequantizer.dequantizeRow(tensors[t], o, weights, 0);
        double norm = norm(weights);
        for (int row = 0; row < rows; row++) {
          double difference = found[t].output().get(row, o) - expected[t].output().get(row, o);
          if (!(Math.abs(difference) <= tolerance * norm * norms[row])) {
            fail(
                "%s, %d columns, %d rows: [%d][%d] differs by %g",
                tensors[t].type(), k, rows, row, o, difference);
          }
        }
      }
    }
  }

  private Projection[] projections(Kernels kernels, int rows, Tensor... tensors) {
    return Arrays.stream(tensors)
        .map(
            tensor ->
                new Projection(
                    kernels.weightMatrix(tensor),
                    FloatMatrix.allocate(arena, rows, (int) tensor.rows())))
        .toArray(Projection[]::new);
  }

  private static double norm(float[] values) {
    double squares = 0;
    for (float value : values) squares += (double) value * value;
    return Math.sqrt(squares);
  }

  private static double norm(FloatMatrix matrix, int row) {
    float[] values = new float[matrix.columns()];
    matrix.copyRow(row, values);
    return norm(values);
  }

  /** Weights of a model that was read from a stream. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 20})
  void projectsWeightsOnTheHeap(int rows) {
    Tensor tensor = random.tensor(ElementType.Q8_0, 5, 96);
    byte[] bytes = tensor.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    Tensor onHeap = new Tensor("heap", tensor.type(), tensor.shape(), MemorySegment.ofArray(bytes));
    compareProjections(reference(), kernels(2), rows, onHeap);
  }

  @ParameterizedTest
  @MethodSource("types")
  void looksUpEmbeddings(ElementType type) {
    int columns = type.isQuantised() ? 3 * type.blockSize() : 67;
    Tensor tensor = random.tensor(type, 41, columns);
    int[] ids = {40, 0, 13, 13, 7, -1};
    FloatMatrix output = FloatMatrix.allocate(arena, 6, columns);
    Kernels kernels = kernels(3);
    kernels.embed(kernels.weightMatrix(tensor), ids, 5, output);
    float[] expected = new float[columns];
    for (int row = 0; row < 5; row++) {
      Dequantizer.dequantizeRow(tensor, ids[row], expected, 0);
      for (int i = 0; i < columns; i++) {
        assertThat(output.get(row, i)).isCloseTo(expected[i], within(1e-6f));
      }
    }
    assertThat(output.get(5, 0)).as("row not asked for").isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 37, 64, 515, 4096})
  void normalises(int columns) {
    for (int rows : new int[] {1, 5, 67}) {
      FloatMatrix x = random.matrix(rows, columns);
      FloatMatrix weight = random.matrix(1, columns);
      for (MemorySegment w : new MemorySegment[] {weight.data(), null}) {
        FloatMatrix expected = FloatMatrix.allocate(arena, rows, columns);
        FloatMatrix found = FloatMatrix.allocate(arena, rows, columns);
        reference().rmsNorm(x, rows, w, 1e-5f, expected);
        kernels(3).rmsNorm(x, rows, w, 1e-5f, found);
        compare(expected, found, 1e-5);
      }
      FloatMatrix expected = FloatMatrix.allocate(arena, rows, columns);
      reference().rmsNorm(x, rows, weight.data(), 0.1f, expected);
      kernels(2).rmsNorm(x, rows, weight.data(), 0.1f, x);
      compare(expected, x, 1e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 6, 16, 34, 64, 80, 128})
  void rotates(int headDim) {
    for (int rotated : new int[] {headDim, headDim / 4 * 2}) {
      if (rotated == 0) {
        continue;
      }
      for (RotaryPairs pairs : RotaryPairs.values()) {
        FloatMatrix expected = random.matrix(67, 3 * headDim);
        FloatMatrix found = copy(expected);
        FloatMatrix angles = random.matrix(67, rotated);
        reference().rotate(expected, 66, headDim, angles, pairs);
        kernels(3).rotate(found, 66, headDim, angles, pairs);
        compare(expected, found, 2e-6);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 37, 8192})
  void gatesAndAdds(int columns) {
    for (int rows : new int[] {1, 13}) {
      FloatMatrix expected = random.matrix(rows + 1, columns);
      expected.set(0, 0, -200);
      expected.set(rows - 1, columns - 1, 200);
      FloatMatrix found = copy(expected);
      FloatMatrix other = random.matrix(rows + 1, columns);
      FloatMatrix bias = random.matrix(1, columns);
      Kernels reference = reference();
      Kernels kernels = kernels(2);
      reference.swiGlu(expected, other, rows);
      kernels.swiGlu(found, other, rows);
      compare(expected, found, 1e-6);
      reference.add(expected, other, rows);
      kernels.add(found, other, rows);
      compare(expected, found, 1e-6);
      reference.addBias(expected, rows, bias.data());
      kernels.addBias(found, rows, bias.data());
      compare(expected, found, 1e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 37, 1408})
  void normalisesLayers(int columns) {
    int rows = 3;
    FloatMatrix x = random.matrix(rows, columns);
    FloatMatrix weight = random.matrix(1, columns);
    FloatMatrix bias = random.matrix(1, columns);
    FloatMatrix found = FloatMatrix.allocate(arena, rows, columns);
    kernels(2).layerNorm(x, rows, weight.data(), bias.data(), 1e-5f, found);
    for (int row = 0; row < rows; row++) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < columns; i++) mean += x.get(row, i) / columns;
      for (int i = 0; i < columns; i++) variance += Math.pow(x.get(row, i) - mean, 2) / columns;
      for (int i = 0; i < columns; i++) {
        double y = (x.get(row, i) - mean) / Math.sqrt(variance + 1e-5) * weight.get(0, i);
        assertThat((double) found.get(row, i)).isCloseTo(y + bias.get(0, i), within(2e-5));
      }
    }
  }

  /** Against values of Phi computed to 16 digits: gelu(x) = x Phi(x). */
  @Test
  void gaussianErrorLinearUnit() {
    double[][] values = {
      {0, 0},
      {0.5, 0.34573123063700656},
      {1, 0.8413447460685429},
      {2, 1.9544997361036416},
      {3, 2.9959503059051093},
      {8, 7.9999999999999950},
      {100, 100},
    };
    for (int copies : new int[] {1, 7, 64}) {
      int columns = 2 * values.length * copies;
      FloatMatrix x = FloatMatrix.allocate(arena, 3, columns);
      for (int i = 0; i < columns; i++) {
        double[] value = values[i / 2 % values.length];
        x.set(1, i, (float) (i % 2 == 0 ? value[0] : -value[0]));
        x.set(2, i, 5);
      }
      kernels(2).gelu(x, 2);
      for (int i = 0; i < columns; i++) {
        double[] value = values[i / 2 % values.length];
        double expected = i % 2 == 0 ? value[1] : value[1] - value[0];
        assertThat((double) x.get(1, i)).isCloseTo(expected, within(5e-7 * Math.max(1, value[0])));
      }
      assertThat(x.get(2, 0)).as("row not asked for").isEqualTo(5);
    }
  }

  @Test
  void scales() {
    FloatMatrix x = random.matrix(2, 37);
    FloatMatrix before = copy(x);
    kernels(2).scale(x, 1, -0.5f);
    for (int i = 0; i < 37; i++) {
      assertThat(x.get(0, i)).isEqualTo(before.get(0, i) * -0.5f);
      assertThat(x.get(1, i)).isEqualTo(before.get(1, i));
    }
  }

  /** Heads, key/value heads, head size, chunk. */
  static Stream<int[]> attentionShapes() {
    return Stream.of(
        new int[] {4, 4, 64, 0},
        new int[] {8, 2, 64, 0},
        new int[] {6, 2, 5, 0},
        new int[] {3, 1, 37, 0},
        new int[] {32, 8, 16, 0},
        new int[] {5, 5, 80, 100},
        new int[] {10, 2, 128, 64},
        new int[] {2, 1, 96, 33});
  }

  @ParameterizedTest
  @MethodSource("attentionShapes")
  void attends(int[] shape) {
    for (CacheType cacheType : CacheType.values()) {
      if (shape[2] % cacheType.blockSize() != 0) {
        continue;
      }
      attends(
          new AttentionShape(
              5,
              shape[0],
              shape[1],
              shape[2],
              (float) (1 / Math.sqrt(shape[2])),
              shape[3],
              cacheType));
    }
  }

  /** Two prompts and a third sequence token by token, in batches that mix them. */
  private void attends(AttentionShape shape) {
    int dim = shape.headDim();
    int[][] steps = {{67, 1, 0}, {1, 130, 1}, {70, 3, 1}, {1, 1, 1}};
    Kernels reference = reference();
    for (int threads : new int[] {1, 3}) {
      Kernels kernels = kernels(threads);
      TestPages[] expectedPages = pages(shape);
      TestPages[] foundPages = pages(shape);
      int[] positions = new int[3];
      for (int[] step : steps) {
        int rows = Arrays.stream(step).sum();
        FloatMatrix queries = random.matrix(rows, shape.heads() * dim);
        FloatMatrix keys = random.matrix(rows, shape.kvHeads() * dim);
        FloatMatrix values = random.matrix(rows, shape.kvHeads() * dim);
        FloatMatrix expected = FloatMatrix.allocate(arena, rows, shape.heads() * dim);
        FloatMatrix found = FloatMatrix.allocate(arena, rows, shape.heads() * dim);
        attend(
            reference,
            spans(expectedPages, positions, step),
            queries,
            keys,
            values,
            shape,
            expected);
        attend(kernels, spans(foundPages, positions, step), queries, keys, values, shape, found);
        compare(expected, found, tolerance(shape.cacheType()));
        for (int s = 0; s < 3; s++) positions[s] += step[s];
      }
      for (int s = 0; s < 3; s++) {
        for (int page = 0; page < 3; page++) {
          assertThat(foundPages[s].segment(5, page).mismatch(expectedPages[s].segment(5, page)))
              .as("page %d of sequence %d", page, s)
              .isEqualTo(-1);
        }
      }
    }
  }

  /** As in encoders and cross-attention: every row sees the same keys, more or fewer than rows. */
  @ParameterizedTest
  @ValueSource(ints = {1, 64, 65, 150})
  void attendsWithoutOrder(int keyCount) {
    for (int dim : new int[] {64, 88, 37}) {
      AttentionShape shape = new AttentionShape(5, 4, 2, dim, 0.2f, 0, CacheType.F32);
      FloatMatrix keys = random.matrix(keyCount, 2 * dim);
      FloatMatrix values = random.matrix(keyCount, 2 * dim);
      FloatMatrix queries = random.matrix(81, 4 * dim);
      FloatMatrix expected = FloatMatrix.allocate(arena, 81, 4 * dim);
      FloatMatrix found = FloatMatrix.allocate(arena, 81, 4 * dim);
      attendWithoutOrder(reference(), keys, values, queries, shape, expected);
      attendWithoutOrder(kernels(3), keys, values, queries, shape, found);
      compare(expected, found, 1e-5);
      if (keyCount == 1) {
        assertThat(found.get(80, 3 * dim)).isCloseTo(values.get(0, dim), within(1e-6f));
      }
    }
  }

  private void attendWithoutOrder(
      Kernels kernels,
      FloatMatrix keys,
      FloatMatrix values,
      FloatMatrix queries,
      AttentionShape shape,
      FloatMatrix output) {
    TestPages pages = new TestPages(arena, shape, keys.rows());
    kernels.store(keys, values, new Span[] {new Span(pages, 0, keys.rows(), 0)}, 1, shape);
    Span[] spans = {
      Span.seeingAll(pages, 0, 80, keys.rows()), Span.seeingAll(pages, 80, 1, keys.rows())
    };
    kernels.attention(queries, spans, 2, shape, output);
  }

  private TestPages[] pages(AttentionShape shape) {
    return Stream.generate(() -> new TestPages(arena, shape, 192))
        .limit(3)
        .toArray(TestPages[]::new);
  }

  private static Span[] spans(TestPages[] pages, int[] positions, int[] step) {
    List<Span> spans = new ArrayList<>();
    int row = 0;
    for (int s = 0; s < step.length; s++) {
      if (step[s] > 0) spans.add(new Span(pages[s], row, step[s], positions[s]));
      row += step[s];
    }
    spans.add(null);
    return spans.toArray(Span[]::new);
  }

  private static void attend(
      Kernels kernels,
      Span[] spans,
      FloatMatrix queries,
      FloatMatrix keys,
      FloatMatrix values,
      AttentionShape shape,
      FloatMatrix output) {
    kernels.store(keys, values, spans, spans.length - 1, shape);
    kernels.attention(queries, spans, spans.length - 1, shape, output);
  }

  private FloatMatrix copy(FloatMatrix matrix) {
    FloatMatrix copy = FloatMatrix.allocate(arena, matrix.rows(), matrix.columns());
    copy.data().copyFrom(matrix.data());
    return copy;
  }

  private static void compare(FloatMatrix expected, FloatMatrix found, double relative) {
    for (int row = 0; row < expected.rows(); row++) {
      for (int i = 0; i < expected.columns(); i++) {
        double value = expected.get(row, i);
        double tolerance = relative * Math.max(1, Math.abs(value));
        if (!(Math.abs(found.get(row, i) - value) <= tolerance)) {
          assertThat((double) found.get(row, i))
              .as("[%d][%d]", row, i)
              .isCloseTo(value, within(tolerance));
        }
      }
    }
  }
}
