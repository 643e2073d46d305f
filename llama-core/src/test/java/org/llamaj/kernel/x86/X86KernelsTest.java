package org.llamaj.kernel.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.scalar.ScalarKernelProvider;
import org.llamaj.kernel.x86.gemv.WideGemvCode;
import org.llamaj.kernel.x86.machine.Emulator;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.MemoryEdge;
import org.llamaj.kernel.x86.panel.AmxLayout;
import org.llamaj.kernel.x86.panel.Layout;
import org.llamaj.kernel.x86.panel.PairLayout;
import org.llamaj.kernel.x86.panel.SweepCode;
import org.llamaj.kernel.x86.product.WeightCode;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Shape;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Every operation against the plain reference, at every level; those that this processor lacks run
 * in an {@link Emulator}.
 */
class X86KernelsTest {
  private static final List<ElementType> TYPES =
      List.of(
          ElementType.F32,
          ElementType.F16,
          ElementType.BF16,
          ElementType.Q8_0,
          ElementType.Q4_0,
          ElementType.Q4_1,
          ElementType.Q5_0,
          ElementType.Q5_1,
          ElementType.IQ4_NL,
          ElementType.Q2_K,
          ElementType.Q3_K,
          ElementType.Q4_K,
          ElementType.Q5_K,
          ElementType.Q6_K,
          ElementType.IQ4_XS);

  private Arena arena;
  private Workers oneThread;
  private Kernels scalar;

  @BeforeEach
  void open() {
    assumeTrue(new X86KernelProvider().unavailable().isEmpty());
    arena = Arena.ofShared();
    oneThread = new Workers(1);
    scalar = new ScalarKernelProvider().open(oneThread);
  }

  @AfterEach
  void close() {
    Emulator.check();
    if (arena != null) {
      scalar.close();
      oneThread.close();
      arena.close();
    }
  }

  private static Kernels kernels(Level level, Workers workers) {
    Emulator.assumeRuns(level);
    return new X86Kernels(
        level,
        workers,
        () -> {
          throw new AssertionError("nothing here should need other kernels");
        });
  }

  static Stream<Arguments> levelsAndTypes() {
    return Stream.of(Level.values())
        .flatMap(level -> TYPES.stream().map(type -> Arguments.of(level, type)));
  }

  private static int inputs(ElementType type) {
    return switch (type.blockSize()) {
      case 1 -> 16 * 21;
      case 32 -> 32 * 13;
      default -> 3 * 256;
    };
  }

  /**
   * Activations that 8-bit quantisation in blocks of 32 does not change, so that the same results
   * are right with and without it.
   */
  private FloatMatrix activations(int rows, int columns, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    FloatMatrix x = FloatMatrix.allocate(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        int block = column / 32;
        float scale = (1 + (row + block) % 5) / 64f;
        int value = column % 32 == (row + block) % 32 ? 127 : random.nextInt(-127, 128);
        x.set(row, column, scale * value);
      }
    }
    return x;
  }

  private FloatMatrix random(int rows, int columns, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    FloatMatrix x = FloatMatrix.allocate(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        x.set(row, column, (float) random.nextDouble(-4, 4));
      }
    }
    return x;
  }

  /** Largest difference, relative to the largest value expected. */
  private static double error(FloatMatrix actual, FloatMatrix expected) {
    double largest = 0;
    double difference = 0;
    for (int row = 0; row < expected.rows(); row++) {
      for (int column = 0; column < expected.columns(); column++) {
        float found = actual.get(row, column);
        if (!Float.isFinite(found)) {
          return Double.POSITIVE_INFINITY;
        }
        largest = Math.max(largest, Math.abs(expected.get(row, column)));
        difference = Math.max(difference, Math.abs(found - expected.get(row, column)));
      }
    }
    return difference / largest;
  }

  /** Whether products of so many rows are made of weights and activations rounded to bfloat16. */
  private static boolean rounds(Level level, ElementType type, int columns, int rows) {
    Layout layout = WeightCode.layout(type, SweepCode.LEAST_ROWS, columns, level);
    boolean rounds =
        layout instanceof PairLayout || layout instanceof AmxLayout amx && !amx.split();
    return rounds && rows > (type.isQuantised() ? WideGemvCode.MOST_TOKENS : 4);
  }

  private static double tolerance(Level level, ElementType type, int columns) {
    boolean split =
        WeightCode.layout(type, SweepCode.LEAST_ROWS, columns, level) instanceof AmxLayout amx
            && amx.split();
    return split ? 8e-6 : 2e-6;
  }

  private static float round(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000);
  }

  private FloatMatrix rounded(FloatMatrix x) {
    FloatMatrix result = FloatMatrix.allocate(arena, x.rows(), x.columns());
    for (int row = 0; row < x.rows(); row++) {
      for (int column = 0; column < x.columns(); column++) {
        result.set(row, column, round(x.get(row, column)));
      }
    }
    return result;
  }

  private Tensor rounded(Tensor tensor) {
    int rows = (int) tensor.rows();
    int columns = (int) tensor.columns();
    FloatMatrix values = FloatMatrix.allocate(arena, rows, columns);
    float[] row = new float[columns];
    for (int i = 0; i < rows; i++) {
      Dequantizer.dequantizeRow(tensor, i, row, 0);
      values.setRow(i, row);
    }
    return new Tensor("rounded", ElementType.F32, Shape.of(rows, columns), rounded(values).data());
  }

  /** The product as the level is to compute it, in plain float32. */
  private void expect(Level level, Tensor tensor, FloatMatrix x, int rows, FloatMatrix expected) {
    if (rounds(level, tensor.type(), x.columns(), rows)) {
      scalar.project(
          rounded(x), rows, new Projection(scalar.weightMatrix(rounded(tensor)), expected));
    } else {
      scalar.project(x, rows, new Projection(scalar.weightMatrix(tensor), expected));
    }
  }

  @ParameterizedTest
  @MethodSource("levelsAndTypes")
  void projects(Level level, ElementType type) {
    projects(level, type, inputs(type));
  }

  /**
   * Where rows are cut into 32 values, there are no types but the floating-point ones to be odd.
   */
  @ParameterizedTest
  @EnumSource(Level.class)
  void projectsRowsOfAllMultiplesOf16(Level level) {
    for (ElementType type : List.of(ElementType.F16, ElementType.BF16)) {
      for (int columns : new int[] {16, 32, 48, 64, 256, 288, 544}) {
        projects(level, type, columns);
      }
    }
  }

  /**
   * Panels are of 16 rows, two at a time; what is left over begins earlier, or has no panel. Rows
   * that are streamed are taken in pairs.
   */
  @ParameterizedTest
  @MethodSource("levelsAndTypes")
  void projectsToFewOutputs(Level level, ElementType type) {
    int columns = inputs(type);
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int rows : new int[] {3, 7, 14}) {
        FloatMatrix x = activations(rows, columns, 5);
        for (int outputs : new int[] {1, 2, 3, 15, 16, 17, 31, 32, 33, 49}) {
          Tensor tensor = RandomWeights.tensor(arena, type, outputs, columns, outputs);
          FloatMatrix expected = FloatMatrix.allocate(arena, rows, outputs);
          expect(level, tensor, x, rows, expected);
          FloatMatrix actual = FloatMatrix.allocate(arena, rows, outputs);
          kernels.project(x, rows, new Projection(kernels.weightMatrix(tensor), actual));

          assertThat(error(actual, expected))
              .as("%d rows, %d outputs", rows, outputs)
              .isLessThan(tolerance(level, type, columns));
        }
      }
    }
  }

  private void projects(Level level, ElementType type, int columns) {
    int outputs = 101;
    Tensor tensor = RandomWeights.tensor(arena, type, outputs, columns, 1);
    int threads = 1;
    for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 24, 31, 32, 33, 49, 67}) {
      FloatMatrix x = activations(rows, columns, rows);
      FloatMatrix expected = FloatMatrix.allocate(arena, rows, outputs);
      expect(level, tensor, x, rows, expected);
      FloatMatrix actual = FloatMatrix.allocate(arena, rows, outputs);
      try (Workers workers = new Workers(threads);
          Kernels kernels = kernels(level, workers)) {
        kernels.project(x, rows, new Projection(kernels.weightMatrix(tensor), actual));
      }

      assertThat(error(actual, expected))
          .as("%d rows", rows)
          .isLessThan(tolerance(level, type, columns));
      threads = threads % 4 + 1;
    }
  }

  /** So that a guess is judged by the very numbers that would have been computed without it. */
  @ParameterizedTest
  @EnumSource(Level.class)
  void fewRowsGiveWhatEachGivesAlone(Level level) {
    int outputs = 37;
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (ElementType type : TYPES) {
        if (!type.isQuantised()) {
          continue;
        }
        int columns = inputs(type);
        WeightMatrix weight =
            kernels.weightMatrix(RandomWeights.tensor(arena, type, outputs, columns, 8));
        for (int rows = 2; rows <= WideGemvCode.MOST_TOKENS; rows++) {
          FloatMatrix x = random(rows, columns, rows);
          FloatMatrix together = FloatMatrix.allocate(arena, rows, outputs);
          kernels.project(x, rows, new Projection(weight, together));
          for (int row = 0; row < rows; row++) {
            FloatMatrix alone = FloatMatrix.allocate(arena, 1, outputs);
            kernels.project(x.rows(row, 1), 1, new Projection(weight, alone));
            for (int i = 0; i < outputs; i++) {
              assertThat(together.get(row, i)).as("%s", type).isEqualTo(alone.get(0, i));
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void projectsTheSameInputToWeightsOfSeveralTypes(Level level) {
    int columns = 512;
    List<Tensor> tensors = new ArrayList<>();
    for (ElementType type : TYPES) {
      tensors.add(RandomWeights.tensor(arena, type, 16 + tensors.size(), columns, 3));
    }
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int rows : new int[] {1, 3, 9, 40, 12, 1}) {
        FloatMatrix x = activations(rows, columns, rows);
        Projection[] expected = projections(scalar, tensors, rows);
        Projection[] actual = projections(kernels, tensors, rows);
        kernels.project(x, rows, actual);

        for (int i = 0; i < actual.length; i++) {
          expect(level, tensors.get(i), x, rows, expected[i].output());
          assertThat(error(actual[i].output(), expected[i].output()))
              .as("%s, %d rows", TYPES.get(i), rows)
              .isLessThan(tolerance(level, TYPES.get(i), columns));
        }
      }
    }
  }

  private Projection[] projections(Kernels kernels, List<Tensor> tensors, int rows) {
    return tensors.stream()
        .map(
            tensor ->
                new Projection(
                    kernels.weightMatrix(tensor),
                    FloatMatrix.allocate(arena, rows, (int) tensor.rows())))
        .toArray(Projection[]::new);
  }

  @ParameterizedTest
  @MethodSource("levelsAndTypes")
  void embedsExactly(Level level, ElementType type) {
    int columns = inputs(type);
    Tensor tensor = RandomWeights.tensor(arena, type, 9, columns, 5);
    int[] ids = {8, 0, 3};
    FloatMatrix expected = FloatMatrix.allocate(arena, 3, columns);
    FloatMatrix actual = FloatMatrix.allocate(arena, 3, columns);
    scalar.embed(scalar.weightMatrix(tensor), ids, 3, expected);
    try (Workers workers = new Workers(1);
        Kernels kernels = kernels(level, workers)) {
      kernels.embed(kernels.weightMatrix(tensor), ids, 3, actual);
    }

    for (int row = 0; row < 3; row++) {
      for (int column = 0; column < columns; column++) {
        assertThat(actual.get(row, column)).isEqualTo(expected.get(row, column));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("levelsAndTypes")
  void readsNothingBeyondTheWeights(Level level, ElementType type) {
    int columns = inputs(type);
    int outputs = 19;
    try (MemoryEdge memory = new MemoryEdge(outputs * type.rowBytes(columns));
        Workers workers = new Workers(1);
        Kernels kernels = kernels(level, workers)) {
      RandomWeights.fill(memory.last(), type, 7);
      Tensor tensor = new Tensor("last", type, Shape.of(outputs, columns), memory.last());
      WeightMatrix weight = kernels.weightMatrix(tensor);
      for (int rows : new int[] {1, 3, 8, 20}) {
        FloatMatrix output = FloatMatrix.allocate(arena, rows, outputs);
        kernels.project(activations(rows, columns, 1), rows, new Projection(weight, output));
        assertThat(output.get(rows - 1, outputs - 1)).isNotZero();
      }
      FloatMatrix row = FloatMatrix.allocate(arena, 1, columns);
      kernels.embed(weight, new int[] {outputs - 1}, 1, row);
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void writesNothingBesideTheResults(Level level) {
    int columns = 256;
    int outputs = 21;
    Tensor tensor = RandomWeights.tensor(arena, ElementType.Q4_0, outputs, columns, 1);
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int rows : new int[] {1, 7, 20}) {
        FloatMatrix guarded = FloatMatrix.allocate(arena, rows + 2, outputs);
        for (int column = 0; column < outputs; column++) {
          guarded.set(0, column, 42);
          guarded.set(rows + 1, column, 42);
        }
        kernels.project(
            activations(rows, columns, 1),
            rows,
            new Projection(kernels.weightMatrix(tensor), guarded.rows(1, rows)));

        for (int column = 0; column < outputs; column++) {
          assertThat(guarded.get(0, column)).isEqualTo(42);
          assertThat(guarded.get(rows + 1, column)).isEqualTo(42);
        }
      }
    }
  }

  @Test
  void leavesWeightsOnTheHeapAndUnknownShapesToOtherKernels() {
    int columns = 72;
    float[] values = new float[3 * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 5 - 2;
    }
    Tensor tensor =
        new Tensor("heap", ElementType.F32, Shape.of(3, columns), MemorySegment.ofArray(values));
    FloatMatrix x = random(2, columns, 1);
    FloatMatrix expected = FloatMatrix.allocate(arena, 2, 3);
    FloatMatrix actual = FloatMatrix.allocate(arena, 2, 3);
    scalar.project(x, 2, new Projection(scalar.weightMatrix(tensor), expected));
    try (Workers workers = new Workers(1);
        Kernels kernels = new X86KernelProvider().open(workers)) {
      kernels.project(x, 2, new Projection(kernels.weightMatrix(tensor), actual));

      assertThat(error(actual, expected)).isLessThan(1e-6);

      assertThatThrownBy(() -> kernels.addBias(actual, 2, tensor.data()))
          .hasMessageContaining("expected memory outside the heap");
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void normalises(Level level) {
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int columns : new int[] {1, 7, 32, 61, 2048}) {
        int rows = 19;
        FloatMatrix x = random(rows, columns, columns);
        MemorySegment weight = random(1, columns, 2).data();
        for (MemorySegment w : new MemorySegment[] {weight, null}) {
          FloatMatrix expected = FloatMatrix.allocate(arena, rows, columns);
          FloatMatrix actual = FloatMatrix.allocate(arena, rows, columns);
          scalar.rmsNorm(x, rows, w, 1e-5f, expected);
          kernels.rmsNorm(x, rows, w, 1e-5f, actual);

          assertThat(error(actual, expected)).as("%d columns", columns).isLessThan(1e-6);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void rotates(Level level) {
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int rotated : new int[] {2, 8, 14, 64}) {
        int headDim = 64;
        int rows = 23;
        for (RotaryPairs pairs : RotaryPairs.values()) {
          FloatMatrix expected = random(rows, 20 * headDim, 1);
          FloatMatrix actual = random(rows, 20 * headDim, 1);
          FloatMatrix angles = random(rows, rotated, 2);
          scalar.rotate(expected, rows, headDim, angles, pairs);
          kernels.rotate(actual, rows, headDim, angles, pairs);

          assertThat(error(actual, expected)).as("%d rotated", rotated).isLessThan(1e-6);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void addsAndGates(Level level) {
    try (Workers workers = new Workers(2);
        Kernels kernels = kernels(level, workers)) {
      for (int columns : new int[] {1, 9, 8192}) {
        int rows = 5;
        FloatMatrix y = random(rows, columns, 2);
        FloatMatrix expected = random(rows, columns, 1);
        FloatMatrix actual = random(rows, columns, 1);
        scalar.add(expected, y, rows);
        kernels.add(actual, y, rows);
        assertThat(error(actual, expected)).as("add").isZero();

        MemorySegment bias = random(1, columns, 3).data();
        scalar.addBias(expected, rows, bias);
        kernels.addBias(actual, rows, bias);
        assertThat(error(actual, expected)).as("bias").isZero();

        scalar.swiGlu(expected, y, rows);
        kernels.swiGlu(actual, y, rows);
        assertThat(error(actual, expected)).as("gate").isLessThan(1e-6);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Level.class)
  void gatesExtremeValues(Level level) {
    float[] values = {-1e30f, -200, -88, -1e-20f, 0, 1e-20f, 50, 3e38f};
    FloatMatrix gate = FloatMatrix.allocate(arena, 1, values.length);
    FloatMatrix up = FloatMatrix.allocate(arena, 1, values.length);
    gate.setRow(0, values);
    up.data().fill((byte) 0);
    for (int i = 0; i < values.length; i++) {
      up.set(0, i, 1);
    }
    try (Workers workers = new Workers(1);
        Kernels kernels = kernels(level, workers)) {
      kernels.swiGlu(gate, up, 1);
    }

    float[] gated = gate.data().toArray(ValueLayout.JAVA_FLOAT);
    assertThat(gated[0]).isBetween(-1e-6f, 0f);
    assertThat(gated[1]).isBetween(-1e-6f, 0f);
    assertThat(gated[2]).isBetween(-1e-6f, 0f);
    assertThat(gated[4]).isZero();
    assertThat(gated[6]).isEqualTo(50);
    assertThat(gated[7]).isEqualTo(3e38f);
  }
}
