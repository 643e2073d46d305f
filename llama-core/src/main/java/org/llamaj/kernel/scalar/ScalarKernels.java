package org.llamaj.kernel.scalar;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.WholeMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/** The reference kernels: float32 arithmetic, one row after the other. */
final class ScalarKernels implements Kernels {

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Weight rows that a worker takes at a time. */
  private static final int CHUNK_OUTPUTS = 32;

  private final Workers workers;
  private final ScalarAttention attention;

  /** All input rows of the projection at hand. */
  private float[] inputs = {};

  /** Per worker, one row of weights as floats. */
  private final float[][] weightRows;

  ScalarKernels(Workers workers) {
    this.workers = workers;
    this.attention = new ScalarAttention(workers);
    this.weightRows = new float[workers.threads()][0];
  }

  private record Weights(Tensor tensor) implements WholeMatrix {}

  @Override
  public String description() {
    return "scalar: plain Java";
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    ElementType type = tensor.type();
    int block = type.blockSize();
    // A type that cannot be read is refused now, not in the middle of a forward pass.
    Dequantizer.dequantize(type, tensor.data(), 0, new float[block], 0, block);
    return new Weights(tensor);
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    int columns = input.columns();
    if (inputs.length < rows * columns) {
      inputs = new float[Math.multiplyExact(rows, columns)];
    }
    MemorySegment.copy(input.data(), FLOAT, 0, inputs, 0, rows * columns);
    for (Projection projection : projections) {
      int outputs = projection.weight().outputs();
      workers.run(
          Math.ceilDiv(outputs, CHUNK_OUTPUTS),
          (chunk, worker) -> {
            int first = chunk * CHUNK_OUTPUTS;
            int end = Math.min(outputs, first + CHUNK_OUTPUTS);
            projectOutputs(projection, first, end, rows, columns, weightRow(worker, columns));
          });
    }
  }

  private void projectOutputs(
      Projection projection, int first, int end, int rows, int columns, float[] weights) {
    Tensor tensor = ((Weights) projection.weight()).tensor();
    MemorySegment output = projection.output().data();
    int outputs = projection.output().columns();
    for (int o = first; o < end; o++) {
      Dequantizer.dequantizeRow(tensor, o, weights, 0);
      for (int row = 0; row < rows; row++) {
        float sum = dot(weights, inputs, row * columns, columns);
        output.set(FLOAT, 4L * ((long) row * outputs + o), sum);
      }
    }
  }

  /** Eight partial sums: faster than one, and rounding errors grow eight times slower. */
  private static float dot(float[] a, float[] b, int bOffset, int count) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    int i = 0;
    for (; i < count - 7; i += 8) {
      s0 += a[i] * b[bOffset + i];
      s1 += a[i + 1] * b[bOffset + i + 1];
      s2 += a[i + 2] * b[bOffset + i + 2];
      s3 += a[i + 3] * b[bOffset + i + 3];
      s4 += a[i + 4] * b[bOffset + i + 4];
      s5 += a[i + 5] * b[bOffset + i + 5];
      s6 += a[i + 6] * b[bOffset + i + 6];
      s7 += a[i + 7] * b[bOffset + i + 7];
    }
    float rest = 0;
    for (; i < count; i++) {
      rest += a[i] * b[bOffset + i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + rest;
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    Tensor tensor = ((Weights) table).tensor();
    workers.run(
        count,
        (row, worker) -> {
          float[] values = weightRow(worker, output.columns());
          Dequantizer.dequantizeRow(tensor, ids[row], values, 0);
          output.setRow(row, values);
        });
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    int columns = input.columns();
    workers.run(
        rows,
        (row, worker) -> {
          double squares = 0;
          for (int i = 0; i < columns; i++) {
            double x = input.get(row, i);
            squares += x * x;
          }
          float factor = (float) (1 / Math.sqrt(squares / columns + eps));
          for (int i = 0; i < columns; i++) {
            float y = input.get(row, i) * factor;
            output.set(row, i, weight == null ? y : y * weight.get(FLOAT, 4L * i));
          }
        });
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    int rotated = angles.columns();
    boolean halves = pairs == RotaryPairs.HALF_SPLIT;
    int step = halves ? 1 : 2; // from one pair to the next
    int apart = halves ? rotated / 2 : 1; // the components of a pair
    workers.run(
        rows,
        (row, worker) -> {
          for (int head = 0; head < x.columns(); head += headDim) {
            for (int pair = 0; pair < rotated / 2; pair++) {
              int i = pair * step;
              float cos = angles.get(row, i);
              float sin = angles.get(row, i + apart);
              float re = x.get(row, head + i);
              float im = x.get(row, head + i + apart);
              x.set(row, head + i, re * cos - im * sin);
              x.set(row, head + i + apart, re * sin + im * cos);
            }
          }
        });
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    attention.store(keys, values, spans, spanCount, shape);
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    attention.attend(queries, spans, spanCount, shape, output);
  }

  @Override
  public void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    workers.run(
        rows,
        (row, worker) -> {
          for (int i = 0; i < gate.columns(); i++) {
            float g = gate.get(row, i);
            gate.set(row, i, (float) (g / (1 + Math.exp(-g))) * up.get(row, i));
          }
        });
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    workers.run(
        rows,
        (row, worker) -> {
          for (int i = 0; i < x.columns(); i++) {
            x.set(row, i, x.get(row, i) + y.get(row, i));
          }
        });
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    workers.run(
        rows,
        (row, worker) -> {
          for (int i = 0; i < x.columns(); i++) {
            x.set(row, i, x.get(row, i) + bias.get(FLOAT, 4L * i));
          }
        });
  }

  @Override
  public void close() {
    // Scratch is on the heap; weights stay where they are.
  }

  private float[] weightRow(int worker, int columns) {
    if (weightRows[worker].length < columns) {
      weightRows[worker] = new float[columns];
    }
    return weightRows[worker];
  }
}
