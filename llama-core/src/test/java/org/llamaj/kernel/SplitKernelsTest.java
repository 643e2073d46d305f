package org.llamaj.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.SplitTensor;
import org.llamaj.tensor.SplitTensor.Along;
import org.llamaj.tensor.Tensor;

/** Weights in parts give what whole ones give, on every provider for the processor. */
@ParameterizedClass(name = "{0}")
@MethodSource("providers")
class SplitKernelsTest {
  private static final int PARTS = 3;
  private static final int[] ROWS = {1, 2, 9, 17};
  private static final int MAX_ROWS = 17;

  @Parameter KernelProvider provider;

  private final Arena arena = Arena.ofShared();
  private final RandomTensors random = new RandomTensors(arena, 11);
  private Workers workers;
  private Kernels plain;
  private SplitKernels kernels;

  static Stream<KernelProvider> providers() {
    return ServiceLoader.load(KernelProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.unavailable().isEmpty() && !provider.isDevice());
  }

  @BeforeEach
  void open() {
    workers = new Workers(2);
    plain = provider.open(workers);
    kernels = new SplitKernels(plain, arena);
  }

  @AfterEach
  void close() {
    plain.close();
    workers.close();
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({
    "F32, ROWS, 5, 21",
    "F32, ROWS, 64, 96",
    "F32, COLUMNS, 21, 5",
    "F32, COLUMNS, 96, 64",
    "F16, ROWS, 7, 33",
    "F16, COLUMNS, 33, 7",
    "F16, COLUMNS, 40, 96",
    "BF16, ROWS, 7, 33",
    "BF16, COLUMNS, 33, 7",
    "BF16, COLUMNS, 40, 96",
    "Q8_0, ROWS, 5, 64",
    "Q8_0, COLUMNS, 21, 64"
  })
  void productsAreThoseOfTheWhole(ElementType type, Along along, int rows, int columns) {
    SplitTensor split = split(type, along, rows, columns);
    WeightMatrix whole = kernels.weightMatrix(joined(split));
    WeightMatrix parts = kernels.weightMatrix(split);
    assertThat(parts.name()).isEqualTo("test");
    assertThat(parts.inputs()).isEqualTo(whole.inputs());
    assertThat(parts.outputs()).isEqualTo(whole.outputs());
    FloatMatrix x = random.matrix(MAX_ROWS, whole.inputs());
    FloatMatrix other = random.matrix(MAX_ROWS, whole.inputs());
    FloatMatrix y = FloatMatrix.allocate(arena, MAX_ROWS, whole.outputs());
    FloatMatrix expected = FloatMatrix.allocate(arena, MAX_ROWS, whole.outputs());
    for (FloatMatrix input : List.of(x, other, x)) {
      for (int count : ROWS) {
        y.data().fill((byte) 0x7F);
        // A whole matrix in the same call, and the parts twice: scratch memory is shared.
        FloatMatrix again = FloatMatrix.allocate(arena, MAX_ROWS, whole.outputs());
        kernels.project(
            input,
            count,
            new Projection(parts, y),
            new Projection(whole, expected),
            new Projection(kernels.weightMatrix(split), again));
        // Activations are rounded to 8 bits with other scales, if they are.
        double tolerance =
            type == ElementType.F32 || along == Along.ROWS ? 1e-5 : 0.01 * columns * PARTS;
        assertSame(y, expected, count, tolerance * whole.inputs());
        assertSame(again, expected, count, tolerance * whole.inputs());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Along.class)
  void rowsAreThoseOfTheWhole(Along along) {
    SplitTensor split = split(ElementType.BF16, along, 10, 24);
    Tensor whole = joined(split);
    WeightMatrix table = kernels.weightMatrix(split);
    int[] ids = {0, (int) whole.rows() - 1, 9, 5, 5, 1, 8};
    FloatMatrix y = FloatMatrix.allocate(arena, MAX_ROWS, table.inputs());
    for (int count : new int[] {ids.length, 1, 2}) {
      kernels.embed(table, ids, count, y);
      for (int i = 0; i < count; i++) {
        float[] row = new float[table.inputs()];
        y.copyRow(i, row);
        assertThat(row).isEqualTo(whole.rowAsFloats(ids[i]));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Along.class)
  void nothingIsPreparedTwice(Along along) {
    SplitTensor split = split(ElementType.BF16, along, 32, 64);
    WeightMatrix parts = kernels.weightMatrix(split);
    FloatMatrix x = random.matrix(MAX_ROWS, parts.inputs());
    FloatMatrix y = FloatMatrix.allocate(arena, MAX_ROWS, parts.outputs());
    FloatMatrix rows = FloatMatrix.allocate(arena, MAX_ROWS, parts.inputs());
    Projection[] projections = {new Projection(parts, y)};
    int[] ids = {3};
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    assumeThat(provider.name()).as("the others make objects of their own").isEqualTo("x86");
    for (int round = 0; round < 2; round++) {
      long before = thread.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 2000; i++) {
        kernels.project(x, 1, projections);
        kernels.embed(parts, ids, 1, rows);
      }
      long bytes = thread.getCurrentThreadAllocatedBytes() - before;
      if (round == 1) assertThat(bytes / 2000).isLessThan(100);
    }
  }

  private SplitTensor split(ElementType type, Along along, int rows, int columns) {
    List<Tensor> parts = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) parts.add(random.tensor(type, rows, columns));
    return new SplitTensor("test", along, parts);
  }

  private Tensor joined(SplitTensor split) {
    Shape shape = split.shape();
    MemorySegment data = arena.allocate(split.type().bytes(shape), 64);
    split.copyRows(0, (int) shape.rows(), data);
    return new Tensor(split.name(), split.type(), shape, data);
  }

  private static void assertSame(FloatMatrix found, FloatMatrix expected, int rows, double by) {
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < expected.columns(); i++) {
        assertThat(found.get(row, i)).isCloseTo(expected.get(row, i), within((float) by));
      }
    }
  }
}
