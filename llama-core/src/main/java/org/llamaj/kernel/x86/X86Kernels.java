package org.llamaj.kernel.x86;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.attention.Attention;
import org.llamaj.kernel.x86.attention.AttentionCode;
import org.llamaj.kernel.x86.attention.CacheWriter;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.ShapedCode;
import org.llamaj.kernel.x86.panel.Layout;
import org.llamaj.kernel.x86.product.Projector;
import org.llamaj.kernel.x86.product.TileProduct;
import org.llamaj.kernel.x86.product.WeightCode;
import org.llamaj.kernel.x86.product.X86WeightMatrix;
import org.llamaj.tensor.ElementType;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/** Kernels in assembled code; other kernels for the few cases that there is no code for. */
final class X86Kernels implements Kernels {
  private final Level level;
  private final CodeCache cache = new CodeCache();
  private final Map<Layout, TileProduct> tileProducts = new HashMap<>();
  private final Map<WeightKey, WeightCode> weightCodes = new HashMap<>();
  private final Projector projector;
  private final Attention attention;
  private final CacheWriter cacheWriter;
  private final RowTasks rowTasks;
  private final ShapedCode norm;
  private final ShapedCode rotate;
  private final ShapedCode rotateHalves;
  private final MachineCode add;
  private final MachineCode swiGlu;
  private final MachineCode gelu;
  private final Supplier<Kernels> fallbackSource;
  private Kernels fallback;

  /** One of several projections, where not all have code. */
  private final Projection[] alone = new Projection[1];

  private record WeightKey(ElementType type, int inputs, Layout layout) {}

  /**
   * @param fallback opens kernels for types and shapes without code; they are closed with these
   */
  X86Kernels(Level level, Workers workers, Supplier<Kernels> fallback) {
    this.level = level;
    fallbackSource = fallback;
    projector = new Projector(workers, level.has(Feature.AVX512_VNNI), cache);
    attention = new Attention(workers, level, cache);
    cacheWriter = new CacheWriter(workers, cache);
    rowTasks = new RowTasks(workers);
    norm = new ShapedCode(cache, (columns, weighted) -> NormCode.assemble(columns, weighted == 1));
    rotate = new ShapedCode(cache, RotateCode::assemble);
    rotateHalves = new ShapedCode(cache, RotateCode::assembleHalves);
    add = cache.get("add", ElementwiseCode::add);
    swiGlu = cache.get("swiGlu", ElementwiseCode::swiGlu);
    gelu = cache.get("gelu", ElementwiseCode::gelu);
  }

  private Kernels fallback() {
    if (fallback == null) {
      fallback = fallbackSource.get();
    }
    return fallback;
  }

  @Override
  public String description() {
    String own = "x86: " + level.title();
    return fallback == null ? own : own + "; without code of its own: " + fallback.description();
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    int inputs = Math.toIntExact(tensor.columns());
    boolean hasAddress = tensor.data().isNative();
    if (!hasAddress || !WeightCode.supports(tensor.type(), inputs)) {
      return fallback().weightMatrix(tensor);
    }
    Layout layout = WeightCode.layout(tensor.type(), tensor.rows(), inputs, level);
    TileProduct tileProduct =
        tileProducts.computeIfAbsent(layout, key -> new TileProduct(key, cache));
    WeightCode code =
        weightCodes.computeIfAbsent(
            new WeightKey(tensor.type(), inputs, layout),
            key -> new WeightCode(key.type(), inputs, level, tileProduct, cache));
    return new X86WeightMatrix(tensor, code);
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    boolean all = true;
    for (Projection projection : projections) {
      all &= projection.weight() instanceof X86WeightMatrix;
    }
    if (all) {
      projector.project(input, rows, projections);
      return;
    }
    for (Projection projection : projections) {
      if (projection.weight() instanceof X86WeightMatrix) {
        alone[0] = projection;
        projector.project(input, rows, alone);
        alone[0] = null;
      } else {
        fallback().project(input, rows, projection);
      }
    }
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    if (table instanceof X86WeightMatrix matrix) {
      MachineCode code = matrix.code().unpack();
      for (int i = 0; i < count; i++) {
        long place = output.address() + 4L * i * output.columns();
        code.callShort(matrix.row(ids[i]), place, 0, 0, 0, 0);
      }
    } else {
      fallback().embed(table, ids, count, output);
    }
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    int columns = input.columns();
    boolean weighted = weight != null;
    rowTasks
        .arguments(input.address(), weighted ? address(weight) : 0, output.address())
        .strides(4L * columns, 0, 4L * columns)
        .constants(1, Float.floatToRawIntBits(eps))
        .run(norm.get(columns, weighted ? 1 : 0), rows, columns);
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    int rotated = angles.columns();
    rowTasks
        .arguments(x.address(), angles.address(), x.columns() / headDim)
        .strides(4L * x.columns(), 4L * rotated, 0)
        .constants(0, 0)
        .run(
            (pairs == RotaryPairs.INTERLEAVED ? rotate : rotateHalves).get(headDim, rotated),
            rows,
            x.columns());
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    if (AttentionCode.supports(shape)) {
      cacheWriter.store(keys, values, spans, spanCount, shape);
    } else {
      fallback().store(keys, values, spans, spanCount, shape);
    }
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    if (AttentionCode.supports(shape)) {
      attention.attend(queries, spans, spanCount, shape, output);
    } else {
      fallback().attention(queries, spans, spanCount, shape, output);
    }
  }

  @Override
  public void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    elementwise(swiGlu, gate, rows, up.address(), 4L * gate.columns());
  }

  @Override
  public void gelu(FloatMatrix x, int rows) {
    elementwise(gelu, x, rows, x.address(), 4L * x.columns());
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    elementwise(add, x, rows, y.address(), 4L * x.columns());
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    elementwise(add, x, rows, address(bias), 0);
  }

  private static long address(MemorySegment values) {
    if (!values.isNative()) {
      throw new IllegalArgumentException("expected memory outside the heap, found " + values);
    }
    return values.address();
  }

  private void elementwise(
      MachineCode code, FloatMatrix x, int rows, long second, long secondStride) {
    rowTasks
        .arguments(x.address(), second, x.columns())
        .strides(4L * x.columns(), secondStride, 0)
        .constants(0, 0)
        .run(code, rows, x.columns());
  }

  @Override
  public void close() {
    projector.close();
    attention.close();
    tileProducts.values().forEach(TileProduct::close);
    cache.close();
    if (fallback != null) {
      fallback.close();
    }
  }
}
