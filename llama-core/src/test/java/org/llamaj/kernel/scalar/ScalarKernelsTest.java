package org.llamaj.kernel.scalar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RandomTensors;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.TestPages;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.WholeMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/** The reference kernels against their formulas in double precision. */
class ScalarKernelsTest {

  private final Arena arena = Arena.ofShared();
  private final RandomTensors random = new RandomTensors(arena, 1);
  private final Workers workers = new Workers(2);
  private final Kernels kernels = new ScalarKernelProvider().open(workers);

  @AfterEach
  void close() {
    kernels.close();
    workers.close();
    arena.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "Q4_0", "Q6_K"})
  void projects(ElementType type) {
    int columns = 3 * type.blockSize();
    WeightMatrix first = kernels.weightMatrix(random.tensor(type, 37, columns));
    WeightMatrix second = kernels.weightMatrix(random.tensor(type, 5, columns));
    FloatMatrix input = random.matrix(6, columns);
    Projection one = new Projection(first, FloatMatrix.allocate(arena, 5, 37));
    Projection two = new Projection(second, FloatMatrix.allocate(arena, 5, 5));
    kernels.project(input, 5, one, two);
    for (Projection projection : new Projection[] {one, two}) {
      float[] weights = new float[columns];
      for (int o = 0; o < projection.weight().outputs(); o++) {
        Dequantizer.dequantizeRow(((WholeMatrix) projection.weight()).tensor(), o, weights, 0);
        for (int row = 0; row < 5; row++) {
          double sum = 0;
          double magnitude = 0;
          for (int i = 0; i < columns; i++) {
            double product = (double) weights[i] * input.get(row, i);
            sum += product;
            magnitude += Math.abs(product);
          }
          assertThat((double) projection.output().get(row, o))
              .isCloseTo(sum, within(1e-6 * magnitude));
        }
      }
    }
  }

  @Test
  void looksUpEmbeddings() {
    Tensor tensor = random.tensor(ElementType.Q8_0, 11, 64);
    FloatMatrix output = FloatMatrix.allocate(arena, 3, 64);
    kernels.embed(kernels.weightMatrix(tensor), new int[] {10, 0, 7, 99}, 3, output);
    float[] expected = new float[64];
    for (int row = 0; row < 3; row++) {
      Dequantizer.dequantizeRow(tensor, new int[] {10, 0, 7}[row], expected, 0);
      for (int i = 0; i < 64; i++) assertThat(output.get(row, i)).isEqualTo(expected[i]);
    }
  }

  @Test
  void normalises() {
    FloatMatrix x = random.matrix(3, 17);
    FloatMatrix weight = random.matrix(1, 17);
    FloatMatrix output = FloatMatrix.allocate(arena, 3, 17);
    kernels.rmsNorm(x, 3, weight.data(), 0.5f, output);
    FloatMatrix plain = FloatMatrix.allocate(arena, 3, 17);
    kernels.rmsNorm(x, 3, null, 0.5f, plain);
    for (int row = 0; row < 3; row++) {
      double squares = 0;
      for (int i = 0; i < 17; i++) squares += (double) x.get(row, i) * x.get(row, i);
      double norm = Math.sqrt(squares / 17 + 0.5);
      for (int i = 0; i < 17; i++) {
        double y = x.get(row, i) / norm;
        assertThat((double) plain.get(row, i)).isCloseTo(y, within(1e-6));
        assertThat((double) output.get(row, i)).isCloseTo(y * weight.get(0, i), within(1e-6));
      }
    }
  }

  @Test
  void rotatesPairsAndLeavesTheRest() {
    FloatMatrix x = FloatMatrix.allocate(arena, 1, 8);
    for (int i = 0; i < 8; i++) x.set(0, i, i + 1);
    FloatMatrix angles = FloatMatrix.allocate(arena, 1, 2);
    angles.set(0, 0, 0); // a quarter turn: cos 0, sin 1
    angles.set(0, 1, 1);
    kernels.rotate(x, 1, 4, angles, RotaryPairs.INTERLEAVED);
    float[] turned = new float[8];
    x.copyRow(0, turned);
    assertThat(turned).containsExactly(-2, 1, 3, 4, -6, 5, 7, 8);
  }

  @Test
  void rotatesHalvesAndLeavesTheRest() {
    FloatMatrix x = FloatMatrix.allocate(arena, 1, 12);
    for (int i = 0; i < 12; i++) x.set(0, i, i + 1);
    FloatMatrix angles = FloatMatrix.allocate(arena, 1, 4);
    angles.setRow(0, new float[] {0, 1, 1, 0}); // cosines 0, 1; sines 1, 0
    kernels.rotate(x, 1, 6, angles, RotaryPairs.HALF_SPLIT);
    float[] turned = new float[12];
    x.copyRow(0, turned);
    assertThat(turned).containsExactly(-3, 2, 1, 4, 5, 6, -9, 8, 7, 10, 11, 12);
  }

  @ParameterizedTest
  @CsvSource({"F32, 1e-5", "F16, 4e-3", "Q8_0, 0.05", "Q4_0, 0.7"})
  void attends(CacheType cacheType, double tolerance) {
    int tokens = 150;
    int dim = cacheType.isQuantized() ? 64 : 5;
    AttentionShape shape = new AttentionShape(3, 6, 2, dim, 2 / (float) dim, 70, cacheType);
    FloatMatrix keys = random.matrix(tokens, 2 * dim);
    FloatMatrix values = random.matrix(tokens, 2 * dim);
    FloatMatrix queries = random.matrix(tokens, 6 * dim);
    FloatMatrix output = FloatMatrix.allocate(arena, tokens, 6 * dim);
    TestPages pages = new TestPages(arena, shape, tokens);
    for (Span span : new Span[] {new Span(pages, 0, 100, 0), new Span(pages, 100, 50, 100)}) {
      kernels.store(keys, values, new Span[] {span, null}, 1, shape);
      kernels.attention(queries, new Span[] {span, null}, 1, shape, output);
    }
    for (int row = 0; row < tokens; row++) {
      for (int head = 0; head < 6; head++) {
        double[] expected = attend(row, head, queries, keys, values, shape);
        for (int d = 0; d < dim; d++) {
          assertThat((double) output.get(row, head * dim + d))
              .isCloseTo(expected[d], within(tolerance));
        }
      }
    }
  }

  private static double[] attend(
      int row, int head, FloatMatrix q, FloatMatrix k, FloatMatrix v, AttentionShape shape) {
    int dim = shape.headDim();
    int kv = head / 3 * dim;
    double[] sums = new double[dim];
    double total = 0;
    for (int key = row < 70 ? 0 : row < 140 ? 70 : 140; key <= row; key++) {
      double score = 0;
      for (int d = 0; d < dim; d++) {
        score += (double) q.get(row, head * dim + d) * k.get(key, kv + d);
      }
      double weight = Math.exp(score * shape.scale());
      total += weight;
      for (int d = 0; d < dim; d++) sums[d] += weight * v.get(key, kv + d);
    }
    for (int d = 0; d < dim; d++) sums[d] /= total;
    return sums;
  }

  @Test
  void gatesAndAdds() {
    FloatMatrix gate = random.matrix(3, 9);
    FloatMatrix up = random.matrix(3, 9);
    FloatMatrix bias = random.matrix(1, 9);
    FloatMatrix before = FloatMatrix.allocate(arena, 3, 9);
    MemorySegment.copy(gate.data(), 0, before.data(), 0, gate.data().byteSize());
    kernels.swiGlu(gate, up, 2);
    kernels.add(up, before, 2);
    kernels.addBias(before, 2, bias.data());
    FloatMatrix original = new RandomTensors(arena, 1).matrix(3, 9);
    for (int i = 0; i < 9; i++) {
      double x = original.get(1, i);
      double u = (double) up.get(1, i) - x;
      assertThat((double) gate.get(1, i)).isCloseTo(x / (1 + Math.exp(-x)) * u, within(1e-5));
      assertThat(before.get(1, i)).isEqualTo((float) x + bias.get(0, i));
      assertThat(gate.get(2, i)).as("rows beyond those asked for").isEqualTo(original.get(2, i));
    }
  }
}
