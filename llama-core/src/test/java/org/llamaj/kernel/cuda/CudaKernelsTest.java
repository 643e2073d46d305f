package org.llamaj.kernel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.ExpertRouting;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RandomTensors;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.TestPages;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/**
 * The source of the CUDA kernels, run by the emulator, against the scalar kernels: every weight
 * format, cache type and operation, with activations that stay on the device and with others.
 */
class CudaKernelsTest {
  /** Of float32 sums, relative to the norms of the operands. */
  private static final double FLOAT_ERROR = 3e-6;

  /** Of operands rounded to bfloat16: half a unit of 2^-8 in each, a random walk, 10 deviations. */
  private static final double BFLOAT_ERROR = 10 * Math.sqrt(2) / 256 / Math.sqrt(12);

  private static Emulator emulator;

  private final Arena arena = Arena.ofShared();
  private final RandomTensors random = new RandomTensors(arena, 11);
  private final Workers workers = new Workers(2);
  private Kernels reference;
  private Kernels kernels;

  @BeforeAll
  static void openEmulator() {
    emulator = Emulator.open();
  }

  @AfterAll
  static void closeEmulator() {
    if (emulator != null) {
      emulator.close();
    }
  }

  @BeforeEach
  void open() {
    emulator.reset(1, Emulator.MEMORY);
    reference = new ScalarKernelProvider().open(workers);
    kernels = new CudaKernelProvider().open(workers);
  }

  @AfterEach
  void close() {
    kernels.close();
    reference.close();
    workers.close();
    arena.close();
    emulator.assertClean();
  }

  private FloatMatrix copy(FloatMatrix matrix) {
    FloatMatrix copy = FloatMatrix.allocate(arena, matrix.rows(), matrix.columns());
    copy.data().copyFrom(matrix.data());
    return copy;
  }

  /** A copy that lives on the device. */
  private FloatMatrix kept(FloatMatrix matrix) {
    FloatMatrix copy = copy(matrix);
    kernels.keep(copy);
    kernels.publish(copy, copy.rows());
    return copy;
  }

  private void compare(FloatMatrix expected, FloatMatrix found, double relative) {
    kernels.fetch(found, found.rows());
    for (int row = 0; row < expected.rows(); row++) {
      for (int i = 0; i < expected.columns(); i++) {
        double value = expected.get(row, i);
        double difference = Math.abs(found.get(row, i) - value);
        if (!(difference <= relative * Math.max(1, Math.abs(value)))) {
          assertThat((double) found.get(row, i)).as("[%d][%d]", row, i).isEqualTo(value);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void projects(WeightFormat format) {
    ElementType type = format.type();
    int[] columns =
        type.isQuantised() ? new int[] {type.blockSize(), 3 * type.blockSize()} : new int[] {1, 37};
    for (int rows : new int[] {1, 2, 3, 8, 9, 70}) {
      int k = columns[rows % 2];
      Tensor tensor = random.tensor(type, rows < 70 ? 67 : 5, k);
      Tensor narrow = random.tensor(type, 3, k);
      project(random.matrix(rows, k), rows % 2 == 1, tensor, narrow);
    }
  }

  /** With cuBLASLt: weights as they are or as panels, padded rows, one input for several. */
  @ParameterizedTest
  @EnumSource
  void projectsPromptsWithCublas(WeightFormat format) {
    openWithCublas();
    assertThat(kernels.description()).contains("prompts multiplied by cuBLASLt 13.1");
    ElementType type = format.type();
    int k = type.isQuantised() ? 3 * type.blockSize() : 37;
    long before = emulator.products();
    project(random.matrix(257, k), true, random.tensor(type, 5, k), random.tensor(type, 3, k));
    project(random.matrix(8, k), true, random.tensor(type, 5, k));
    assertThat(emulator.products() - before).isEqualTo(format == WeightFormat.F32 ? 0 : 2);
  }

  /** More outputs than a panel has room for. */
  @Test
  void projectsPanelByPanel() {
    openWithCublas();
    long before = emulator.products();
    project(random.matrix(256, 32), true, random.tensor(ElementType.Q8_0, 20_000, 32));
    assertThat(emulator.products() - before).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmul"})
  void cublasIsGivenUpIfItFails(String function) {
    openWithCublas();
    emulator.fail(function, 0, 15);
    project(random.matrix(70, 64), true, random.tensor(ElementType.BF16, 5, 64));
    assertThat(kernels.description()).doesNotContain("cuBLASLt");
  }

  @Test
  void cublasThatCannotBeOpenedIsNotUsed() {
    emulator.fail("cublasLtCreate", 0, 1);
    openWithCublas();
    project(random.matrix(70, 64), true, random.tensor(ElementType.BF16, 5, 64));
    assertThat(kernels.description()).doesNotContain("cuBLASLt");
  }

  private void openWithCublas() {
    kernels.close();
    emulator.installCublas();
    try {
      kernels = new CudaKernelProvider().open(workers);
    } finally {
      emulator.removeCublas();
    }
  }

  /** Enough rows and outputs for the large tiles, and rows longer than what is held at once. */
  @Test
  void projectsLargeMatrices() {
    project(random.matrix(260, 256), true, random.tensor(ElementType.Q4_K, 260, 256));
    project(random.matrix(2, 9 * 1024), true, random.tensor(ElementType.Q8_0, 9, 9 * 1024));
    project(random.matrix(7, 1568), true, random.tensor(ElementType.BF16, 9, 1568));
  }

  private void project(FloatMatrix x, boolean onDevice, Tensor... tensors) {
    int rows = x.rows();
    int k = x.columns();
    FloatMatrix input = onDevice ? kept(x) : x;
    Projection[] expected = new Projection[tensors.length];
    Projection[] found = new Projection[tensors.length];
    for (int t = 0; t < tensors.length; t++) {
      int outputs = (int) tensors[t].rows();
      expected[t] =
          new Projection(
              reference.weightMatrix(tensors[t]), FloatMatrix.allocate(arena, rows, outputs));
      FloatMatrix output = FloatMatrix.allocate(arena, rows, outputs);
      if (onDevice) {
        kernels.keep(output);
      }
      found[t] = new Projection(kernels.weightMatrix(tensors[t]), output);
    }
    reference.project(x, rows, expected);
    kernels.project(input, rows, found);
    double[] norms =
        IntStream.range(0, rows).mapToDouble(r -> norm(x.rows(r, 1).withColumns(k), 0)).toArray();
    for (int t = 0; t < tensors.length; t++) {
      kernels.fetch(found[t].output(), rows);
      boolean rounds = rows > 8 && tensors[t].type() != ElementType.F32;
      double tolerance = FLOAT_ERROR + (rounds ? BFLOAT_ERROR / Math.sqrt(k) : 0);
      for (int o = 0; o < tensors[t].rows(); o++) {
        double norm = norm(tensors[t].rowAsFloats(o));
        for (int row = 0; row < rows; row++) {
          double difference = found[t].output().get(row, o) - expected[t].output().get(row, o);
          if (!(Math.abs(difference) <= tolerance * norm * norms[row])) {
            assertThat(difference)
                .as("%s, %d columns, %d rows: [%d][%d]", tensors[t].type(), k, rows, row, o)
                .isZero();
          }
        }
      }
    }
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

  @ParameterizedTest
  @EnumSource
  void looksUpRowsOfWhatIsMultipliedToo(WeightFormat format) {
    ElementType type = format.type();
    int columns = type.isQuantised() ? 3 * type.blockSize() : 67;
    Tensor table = random.tensor(type, 41, columns);
    int[] ids = {40, 0, 13, 13, 7};
    var matrix = kernels.weightMatrix(table);
    for (boolean onDevice : new boolean[] {false, true}) {
      FloatMatrix expected = FloatMatrix.allocate(arena, 5, columns);
      reference.embed(reference.weightMatrix(table), ids, 5, expected);
      FloatMatrix found = FloatMatrix.allocate(arena, 5, columns);
      if (onDevice) {
        kernels.keep(found);
      }
      kernels.embed(matrix, ids, 5, found);
      compare(expected, found, 1e-6);
    }
  }

  @Test
  void normalises() {
    for (int columns : new int[] {1, 37, 256, 4096}) {
      for (int rows : new int[] {1, 5}) {
        FloatMatrix x = random.matrix(rows, columns);
        MemorySegment weight = random.matrix(1, columns).data();
        for (MemorySegment w : new MemorySegment[] {weight, null}) {
          FloatMatrix expected = FloatMatrix.allocate(arena, rows, columns);
          reference.rmsNorm(x, rows, w, 1e-5f, expected);
          FloatMatrix found = kept(x);
          kernels.rmsNorm(found, rows, w, 1e-5f, found);
          compare(expected, found, 1e-5);
        }
      }
    }
  }

  @Test
  void rotates() {
    for (int[] shape : new int[][] {{2, 2}, {16, 16}, {80, 40}, {128, 128}}) {
      for (RotaryPairs pairs : RotaryPairs.values()) {
        FloatMatrix expected = random.matrix(5, 3 * shape[0]);
        FloatMatrix angles = random.matrix(5, shape[1]);
        FloatMatrix found = kept(expected);
        reference.rotate(expected, 4, shape[0], angles, pairs);
        kernels.rotate(found, 4, shape[0], kept(angles), pairs);
        compare(expected, found, 2e-6);
      }
    }
  }

  @Test
  void gatesAddsScalesAndCopies() {
    for (int columns : new int[] {1, 37, 8192}) {
      FloatMatrix expected = random.matrix(4, columns);
      expected.set(0, 0, -200);
      FloatMatrix found = kept(expected);
      FloatMatrix other = random.matrix(4, columns);
      FloatMatrix otherOnDevice = kept(other);
      MemorySegment bias = random.matrix(1, columns).data();
      reference.swiGlu(expected, other, 3);
      kernels.swiGlu(found, otherOnDevice, 3);
      reference.add(expected, other, 3);
      kernels.add(found, otherOnDevice, 3);
      reference.add(expected, other, 2);
      kernels.add(found, other, 2); // from the processor's memory
      reference.addBias(expected, 3, bias);
      kernels.addBias(found, 3, bias);
      reference.scale(expected, 3, -0.7f);
      kernels.scale(found, 3, -0.7f);
      reference.copyRow(expected, 1, expected, 3);
      kernels.copyRow(found, 1, found, 3);
      compare(expected, found, 2e-6);
    }
  }

  /** Few choices have products of their own, many are grouped; float32 has products of its own. */
  @ParameterizedTest
  @EnumSource
  void mixes(WeightFormat format) {
    ElementType type = format.type();
    int dim = type.isQuantised() ? type.blockSize() : 40;
    int inner = type.isQuantised() ? 2 * type.blockSize() : 72;
    int rows = 1 + 36 * (format.ordinal() % 2);
    mix(type, rows, dim, inner, 7, 3, ExpertRouting.SOFTMAX);
    mix(type, 38 - rows, dim, inner, 5, 1, ExpertRouting.SIGMOID_OF_INPUT);
  }

  @Test
  void mixesManyRowsOfManyExperts() {
    mix(ElementType.Q4_0, 150, 96, 64, 2, 2, ExpertRouting.SOFTMAX);
    mix(ElementType.BF16, 20, 64, 64, 130, 1, ExpertRouting.SIGMOID_OF_INPUT);
    mix(ElementType.Q8_0, 2, 64, 64, 70, 16, ExpertRouting.SOFTMAX);
  }

  private void mix(
      ElementType type,
      int rows,
      int dim,
      int inner,
      int experts,
      int used,
      ExpertRouting routing) {
    FloatMatrix x = random.matrix(rows, dim);
    FloatMatrix scores = random.matrix(rows, experts);
    scores.set(0, 1, scores.get(0, 0)); // of equal ones the first
    List<Tensor> gates = tensors(type, experts, inner, dim);
    List<Tensor> ups = tensors(type, experts, inner, dim);
    List<Tensor> downs = tensors(type, experts, dim, inner);
    FloatMatrix expected = FloatMatrix.allocate(arena, rows, dim);
    for (int row = 0; row < rows; row++) {
      int[] chosen = highest(scores, row, used);
      double sum = 0;
      for (int e : chosen) sum += Math.exp(scores.get(row, e));
      for (int e : chosen) {
        double score = scores.get(row, e);
        boolean ofInput = routing == ExpertRouting.SIGMOID_OF_INPUT;
        float weight = (float) (ofInput ? 1 / (1 + Math.exp(-score)) : Math.exp(score) / sum);
        FloatMatrix input = copy(x.rows(row, 1));
        if (ofInput) reference.scale(input, 1, weight);
        FloatMatrix gate = product(input, gates.get(e));
        reference.swiGlu(gate, product(input, ups.get(e)), 1);
        FloatMatrix output = product(gate, downs.get(e));
        if (!ofInput) reference.scale(output, 1, weight);
        reference.add(expected.rows(row, 1), output, 1);
      }
    }
    Mixture mixture =
        new Mixture(
            gates.stream().map(kernels::weightMatrix).toList(),
            ups.stream().map(kernels::weightMatrix).toList(),
            downs.stream().map(kernels::weightMatrix).toList(),
            used,
            routing);
    FloatMatrix found = kept(FloatMatrix.allocate(arena, rows, dim));
    assertThat(kernels.mix(kept(x), kept(scores), rows, mixture, found)).isTrue();
    kernels.fetch(found, rows);
    boolean rounds = rows * used > 16 && type != ElementType.F32;
    for (int row = 0; row < rows; row++) {
      double error = 0;
      for (int i = 0; i < dim; i++) {
        error += Math.pow(found.get(row, i) - expected.get(row, i), 2);
      }
      assertThat(Math.sqrt(error) / norm(expected.rows(row, 1).withColumns(dim), 0))
          .as("%s, row %d of %d", type, row, rows)
          .isLessThan(rounds ? 5e-2 : 2e-5);
    }
  }

  private List<Tensor> tensors(ElementType type, int count, int rows, int columns) {
    return Stream.generate(() -> random.tensor(type, rows, columns)).limit(count).toList();
  }

  private FloatMatrix product(FloatMatrix x, Tensor tensor) {
    FloatMatrix y = FloatMatrix.allocate(arena, 1, (int) tensor.rows());
    reference.project(x, 1, new Projection(reference.weightMatrix(tensor), y));
    return y;
  }

  private static int[] highest(FloatMatrix scores, int row, int count) {
    return IntStream.range(0, scores.columns())
        .boxed()
        .sorted(Comparator.comparing(e -> -scores.get(row, e)))
        .limit(count)
        .mapToInt(e -> e)
        .toArray();
  }

  @Test
  void withoutRoomForWhatExpertsMakeTheyAreCalledOneByOne() {
    List<WeightMatrix> gates =
        tensors(ElementType.Q8_0, 4, 128, 64).stream().map(kernels::weightMatrix).toList();
    List<WeightMatrix> downs =
        tensors(ElementType.Q8_0, 4, 64, 128).stream().map(kernels::weightMatrix).toList();
    Mixture mixture = new Mixture(gates, gates, downs, 2, ExpertRouting.SOFTMAX);
    FloatMatrix x = kept(random.matrix(300, 64));
    FloatMatrix scores = kept(random.matrix(300, 4));
    FloatMatrix y = kept(FloatMatrix.allocate(arena, 300, 64));
    assertThat(kernels.mix(x, scores, 1, mixture, y)).isTrue();
    emulator.limitMemory(emulator.memoryUsed());
    assertThat(kernels.mix(x, scores, 300, mixture, y)).isFalse();
    emulator.limitMemory(Emulator.MEMORY);
    assertThat(kernels.mix(x, scores, 300, mixture, y)).isTrue();
  }

  /** Experts of which some stay with the processor are called one by one. */
  @Test
  void mixesNothingThatIsNotOnTheDevice() {
    List<WeightMatrix> gates =
        tensors(ElementType.IQ2_S, 2, 256, 256).stream().map(kernels::weightMatrix).toList();
    Mixture mixture = new Mixture(gates, gates, gates, 1, ExpertRouting.SOFTMAX);
    FloatMatrix x = kept(random.matrix(2, 256));
    FloatMatrix y = kept(random.matrix(2, 256));
    assertThat(kernels.mix(x, kept(random.matrix(2, 2)), 2, mixture, y)).isFalse();
    assertThat(kernels.mix(x, random.matrix(2, 2), 2, mixture, y)).isFalse();
  }

  /** What overflowed must not look like a result. */
  @Test
  void scoresThatAreNoNumbersShow() {
    Tensor gate = random.tensor(ElementType.Q4_0, 64, 32);
    Tensor down = random.tensor(ElementType.Q4_0, 32, 64);
    List<WeightMatrix> gates = List.of(kernels.weightMatrix(gate), kernels.weightMatrix(gate));
    List<WeightMatrix> downs = List.of(kernels.weightMatrix(down), kernels.weightMatrix(down));
    Mixture mixture = new Mixture(gates, gates, downs, 1, ExpertRouting.SOFTMAX);
    for (float strange : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      FloatMatrix scores = random.matrix(2, 2);
      scores.set(0, 1, strange);
      FloatMatrix found = kept(FloatMatrix.allocate(arena, 2, 32));
      kernels.mix(kept(random.matrix(2, 32)), kept(scores), 2, mixture, found);
      kernels.fetch(found, 2);
      assertThat(found.get(0, 5)).isNaN();
      assertThat(found.get(1, 5)).isFinite();
    }
  }

  @Test
  void findsTheGreatestValues() {
    for (int columns : new int[] {64, 2048, 2049, 10_000, 70_000}) {
      for (int count : new int[] {1, 40, 64}) {
        FloatMatrix x = random.matrix(3, columns);
        for (int i = 0; i < columns; i += 7) x.set(1, i, 100); // equal ones
        x.set(2, columns - 1, Float.POSITIVE_INFINITY);
        for (int i = 0; i < columns; i++) x.set(0, i, -Math.abs(x.get(0, i)));
        int[] expected = new int[3 * count];
        int[] found = new int[3 * count];
        float[] values = new float[3 * count];
        float[] foundValues = new float[3 * count];
        reference.best(x, 3, count, expected, values);
        kernels.best(kept(x), 3, count, found, foundValues);
        assertThat(found).as("%d of %d", count, columns).isEqualTo(expected);
        assertThat(foundValues).isEqualTo(values);
        assertThat(expected[count]).isZero();
        assertThat(expected[2 * count]).isEqualTo(columns - 1);
      }
    }
  }

  @Test
  void whatHasNoKernelIsLeftToTheProcessor() {
    FloatMatrix expected = random.matrix(3, 64);
    FloatMatrix found = kept(expected);
    MemorySegment weight = random.matrix(1, 64).data();
    reference.layerNorm(expected, 3, weight, weight, 1e-5f, expected);
    kernels.layerNorm(found, 3, weight, weight, 1e-5f, found);
    compare(expected, found, 2e-6);
    reference.gelu(expected, 3);
    kernels.gelu(found, 3);
    compare(expected, found, 2e-6);
    project(random.matrix(2, 256), true, random.tensor(ElementType.IQ2_S, 9, 256));
  }

  /** Heads, key/value heads, head size, chunk. */
  static Stream<int[]> attentionShapes() {
    return Stream.of(
        new int[] {4, 4, 64, 0},
        new int[] {8, 2, 64, 0},
        new int[] {3, 1, 37, 0},
        new int[] {32, 2, 32, 0},
        new int[] {5, 5, 96, 100},
        new int[] {10, 2, 160, 64},
        new int[] {2, 1, 96, 33});
  }

  @ParameterizedTest
  @MethodSource("attentionShapes")
  void attends(int[] shape) {
    for (CacheType cacheType : CacheType.values()) {
      if (shape[2] % cacheType.blockSize() == 0) {
        float scale = (float) (1 / Math.sqrt(shape[2]));
        attend(
            new AttentionShape(5, shape[0], shape[1], shape[2], scale, shape[3], cacheType),
            new int[][] {{67, 1, 0}, {1, 130, 1}, {70, 3, 1}, {1, 1, 1}},
            cacheType == CacheType.F32 ? 1e-5 : 2e-3);
      }
    }
  }

  /** Of neighbouring queries, many of one sequence: half precision, on the tensor cores. */
  @ParameterizedTest
  @MethodSource("promptShapes")
  void attendsToPrompts(int[] shape) {
    for (CacheType cacheType : CacheType.values()) {
      if (shape[2] % cacheType.blockSize() == 0 && cacheType != CacheType.F32) {
        float scale = (float) (1 / Math.sqrt(shape[2]));
        attend(
            new AttentionShape(5, shape[0], shape[1], shape[2], scale, shape[3], cacheType),
            new int[][] {{67, 0, 0}, {1, 130, 0}, {70, 3, 33}, {1, 17, 64}},
            2e-3);
      }
    }
  }

  /** Heads, key/value heads, head size, chunk. */
  static Stream<int[]> promptShapes() {
    return Stream.of(
        new int[] {4, 2, 128, 0},
        new int[] {3, 1, 80, 0},
        new int[] {5, 5, 16, 100},
        new int[] {70, 1, 48, 0},
        new int[] {8, 2, 64, 33});
  }

  /** So many keys that they are split between blocks of threads. */
  @Test
  void attendsInParts() {
    AttentionShape shape = new AttentionShape(5, 6, 2, 64, 0.125f, 0, CacheType.F16);
    attend(shape, new int[][] {{150, 0, 0}, {150, 0, 0}, {150, 20, 0}, {1, 1, 0}}, 2e-3);
  }

  private void attend(AttentionShape shape, int[][] steps) {
    attend(shape, steps, 1e-5);
  }

  private void attend(AttentionShape shape, int[][] steps, double tolerance) {
    PageMemory memory = kernels.pageMemory(PageMemory.of(arena));
    int dim = shape.headDim();
    TestPages[] expectedPages = new TestPages[3];
    DeviceTable[] foundPages = new DeviceTable[3];
    for (int s = 0; s < 3; s++) {
      expectedPages[s] = new TestPages(arena, shape, 512);
      foundPages[s] = new DeviceTable(memory, shape, 512);
    }
    int[] positions = new int[3];
    for (int[] step : steps) {
      int rows = IntStream.of(step).sum();
      FloatMatrix queries = random.matrix(rows, shape.heads() * dim);
      FloatMatrix keys = random.matrix(rows, shape.kvHeads() * dim);
      FloatMatrix values = random.matrix(rows, shape.kvHeads() * dim);
      FloatMatrix expected = FloatMatrix.allocate(arena, rows, shape.heads() * dim);
      Span[] spans = spans(expectedPages, positions, step);
      reference.store(keys, values, spans, spans.length, shape);
      reference.attention(queries, spans, spans.length, shape, expected);
      FloatMatrix found = kept(FloatMatrix.allocate(arena, rows, shape.heads() * dim));
      spans = spans(foundPages, positions, step);
      kernels.store(keys, values, spans, spans.length, shape);
      kernels.attention(kept(queries), spans, spans.length, shape, found);
      compare(expected, found, tolerance);
      kernels.finish();
      for (int s = 0; s < 3; s++) positions[s] += step[s];
    }
    for (int s = 0; s < 3; s++) {
      assertSameKeys(shape, expectedPages[s], memory, foundPages[s], positions[s]);
    }
  }

  /** Slots that no token was stored in hold anything. */
  private static void assertSameKeys(
      AttentionShape shape, TestPages expected, PageMemory memory, DeviceTable found, int tokens) {
    int full = tokens / AttentionShape.PAGE_TOKENS;
    for (int page = 0; page < full; page++) {
      byte[] bytes = new byte[(int) shape.pageBytes()];
      memory.read(found.pages.get(page), 0, bytes, bytes.length);
      assertThat(MemorySegment.ofArray(bytes).mismatch(expected.segment(5, page)))
          .as("page %d", page)
          .isEqualTo(-1);
    }
  }

  private static Span[] spans(PageTable[] pages, int[] positions, int[] step) {
    List<Span> spans = new ArrayList<>();
    int row = 0;
    for (int s = 0; s < step.length; s++) {
      if (step[s] > 0) spans.add(new Span(pages[s], row, step[s], positions[s]));
      row += step[s];
    }
    return spans.toArray(Span[]::new);
  }

  @Test
  void attendsWithoutOrder() {
    AttentionShape shape = new AttentionShape(5, 4, 2, 88, 0.2f, 0, CacheType.F32);
    PageMemory memory = kernels.pageMemory(PageMemory.of(arena));
    for (int keyCount : new int[] {1, 64, 150}) {
      FloatMatrix keys = random.matrix(keyCount, 2 * 88);
      FloatMatrix values = random.matrix(keyCount, 2 * 88);
      FloatMatrix queries = random.matrix(81, 4 * 88);
      FloatMatrix expected = FloatMatrix.allocate(arena, 81, 4 * 88);
      FloatMatrix found = kept(copy(expected));
      attendWithoutOrder(
          reference, new TestPages(arena, shape, keyCount), keys, values, queries, shape, expected);
      attendWithoutOrder(
          kernels, new DeviceTable(memory, shape, keyCount), keys, values, queries, shape, found);
      compare(expected, found, 1e-5);
    }
  }

  private static void attendWithoutOrder(
      Kernels kernels,
      PageTable pages,
      FloatMatrix keys,
      FloatMatrix values,
      FloatMatrix queries,
      AttentionShape shape,
      FloatMatrix output) {
    kernels.store(keys, values, new Span[] {new Span(pages, 0, keys.rows(), 0)}, 1, shape);
    Span[] spans = { // row 40 sees nothing
      Span.seeingAll(pages, 0, 40, keys.rows()), Span.seeingAll(pages, 41, 40, keys.rows())
    };
    kernels.attention(queries, spans, 2, shape, output);
  }

  /** Pages on the device. */
  private static final class DeviceTable implements PageTable {
    private final List<MemorySegment> pages = new ArrayList<>();

    DeviceTable(PageMemory memory, AttentionShape shape, int tokens) {
      for (int first = 0; first < tokens; first += AttentionShape.PAGE_TOKENS) {
        pages.add(memory.allocate(shape.pageBytes()));
      }
    }

    @Override
    public MemorySegment segment(int layer, int page) {
      return pages.get(page);
    }

    @Override
    public long address(int layer, int page) {
      return pages.get(page).address();
    }
  }
}
