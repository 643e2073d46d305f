package org.llamaj.kernel.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.llamaj.tensor.encoding.Dequantizer;

/**
 * Kernels in the Vector API. Arithmetic is in float32, but for products of a single row with
 * weights of 4 to 6 bits in some formats, see {@link Rounding}.
 */
final class VectorKernels implements Kernels {
  /** The least there is. */
  private static final int PAGE_BYTES = 4096;

  private final Workers workers;
  private final Arena arena = Arena.ofShared();
  private final Scratch[] scratch;
  private final VectorProjection projection;
  private final VectorAttention attention;
  private final CacheWriter cacheWriter;
  private final Embedding embedding = new Embedding();
  private final Norm norm = new Norm();
  private final Rotation rotation = new Rotation();
  private final Gate gate = new Gate();
  private final Sum sum = new Sum();

  VectorKernels(Workers workers) {
    this.workers = workers;
    this.scratch = new Scratch[workers.threads()];
    Arrays.setAll(scratch, worker -> new Scratch(arena));
    this.projection = new VectorProjection(workers, arena, scratch);
    this.attention = new VectorAttention(workers, scratch);
    this.cacheWriter = new CacheWriter(workers);
  }

  @Override
  public String description() {
    return "vector: %d-bit Vector API".formatted(Lanes.F.vectorBitSize());
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    ElementType type = tensor.type();
    int block = type.blockSize();
    // A type that cannot be read is refused now, not in the middle of a forward pass.
    Dequantizer.dequantize(type, tensor.data(), 0, new float[block], 0, block);
    return new VectorWeights(
        tensor, Formats.of(type), offHeap(tensor.data()).address(), tensor.rowBytes());
  }

  /**
   * Raw addresses need memory that the garbage collector does not move, and that does not end with
   * its page where vectors may read past the end.
   */
  private MemorySegment offHeap(MemorySegment data) {
    if (data.isNative()) {
      long end = data.address() + data.byteSize();
      if ((end - 1) / PAGE_BYTES == (end - 1 + Lanes.OVERREAD) / PAGE_BYTES) {
        return data;
      }
    }
    return arena.allocate(data.byteSize() + Lanes.OVERREAD, 64).copyFrom(data);
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    projection.project(input, rows, projections);
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    embedding.table = (VectorWeights) table;
    embedding.ids = ids;
    embedding.output = output;
    embedding.run(workers, count, output.columns());
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    norm.input = input;
    norm.weight = weight == null ? 0 : address(weight, input.columns());
    norm.eps = eps;
    norm.output = output;
    norm.run(workers, rows, input.columns());
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    rotation.halves = pairs == RotaryPairs.HALF_SPLIT;
    rotation.x = x;
    rotation.headDim = headDim;
    rotation.angles = angles;
    rotation.run(workers, rows, x.columns());
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    cacheWriter.store(keys, values, spans, spanCount, shape);
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    attention.attend(queries, spans, spanCount, shape, output);
  }

  @Override
  public void swiGlu(FloatMatrix gateValues, FloatMatrix up, int rows) {
    gate.gate = gateValues;
    gate.up = up;
    gate.run(workers, rows, gateValues.columns());
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    sum.x = x;
    sum.y = y.address();
    sum.stride = 4L * y.columns();
    sum.run(workers, rows, x.columns());
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    sum.x = x;
    sum.y = address(bias, x.columns());
    sum.stride = 0;
    sum.run(workers, rows, x.columns());
  }

  @Override
  public void close() {
    arena.close();
  }

  private static long address(MemorySegment segment, int floats) {
    if (!segment.isNative() || segment.byteSize() < 4L * floats) {
      throw new IllegalArgumentException(
          "expected %d float32 values outside the heap, found %s".formatted(floats, segment));
    }
    return segment.address();
  }

  private static long row(FloatMatrix matrix, int row) {
    return matrix.address() + 4L * row * matrix.columns();
  }

  private final class Embedding extends RowOperation {
    private VectorWeights table;
    private int[] ids;
    private FloatMatrix output;

    /** Without vectors: for a row per token it takes long until these are not objects. */
    @Override
    void row(int row, int worker) {
      ReferenceFormat.decode(
          table.tensor().type(),
          table.address() + table.rowBytes() * ids[row],
          output.columns(),
          VectorKernels.row(output, row),
          scratch[worker]);
    }
  }

  private static final class Norm extends RowOperation {
    private FloatMatrix input;
    private long weight;
    private float eps;
    private FloatMatrix output;

    @Override
    void row(int row, int worker) {
      int columns = input.columns();
      long x = VectorKernels.row(input, row);
      long y = VectorKernels.row(output, row);
      double meanSquare = (double) RowOperations.sumOfSquares(x, columns) / columns;
      float factor = (float) (1 / Math.sqrt(meanSquare + eps));
      if (weight == 0) {
        RowOperations.scale(x, columns, factor, y);
      } else {
        RowOperations.scale(x, columns, factor, weight, y);
      }
    }
  }

  private static final class Rotation extends RowOperation {
    private FloatMatrix x;
    private int headDim;
    private FloatMatrix angles;
    private boolean halves;

    @Override
    void row(int row, int worker) {
      long values = VectorKernels.row(x, row);
      long turns = VectorKernels.row(angles, row);
      for (int head = 0; head < x.columns(); head += headDim) {
        if (halves) {
          RowOperations.rotateHalves(values + 4L * head, angles.columns() / 2, turns);
        } else {
          RowOperations.rotate(values + 4L * head, angles.columns(), turns);
        }
      }
    }
  }

  private final class Gate extends RowOperation {
    private FloatMatrix gate;
    private FloatMatrix up;

    @Override
    void row(int row, int worker) {
      int columns = gate.columns();
      RowOperations.swiGlu(
          VectorKernels.row(gate, row),
          VectorKernels.row(up, row),
          columns,
          scratch[worker].floats(columns));
    }
  }

  /** x = x + y; with a stride of 0 the same y for every row. */
  private static final class Sum extends RowOperation {
    private FloatMatrix x;
    private long y;
    private long stride;

    @Override
    void row(int row, int worker) {
      RowOperations.add(VectorKernels.row(x, row), y + stride * row, x.columns());
    }
  }
}
