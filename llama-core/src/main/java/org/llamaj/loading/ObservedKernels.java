package org.llamaj.loading;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.spi.ProjectionListener;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/** Kernels that tell a listener what is multiplied with what. */
final class ObservedKernels implements Kernels {
  private final Kernels kernels;
  private final ProjectionListener listener;

  ObservedKernels(Kernels kernels, ProjectionListener listener) {
    this.kernels = kernels;
    this.listener = listener;
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    kernels.fetch(input, rows);
    listener.onProject(input, rows, projections);
    kernels.project(input, rows, projections);
  }

  @Override
  public String description() {
    return kernels.description();
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    return kernels.weightMatrix(tensor);
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    kernels.embed(table, ids, count, output);
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    kernels.rmsNorm(input, rows, weight, eps, output);
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    kernels.rotate(x, rows, headDim, angles, pairs);
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    kernels.store(keys, values, spans, spanCount, shape);
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    kernels.attention(queries, spans, spanCount, shape, output);
  }

  @Override
  public void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    kernels.swiGlu(gate, up, rows);
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    kernels.add(x, y, rows);
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    kernels.addBias(x, rows, bias);
  }

  @Override
  public void layerNorm(
      FloatMatrix input,
      int rows,
      MemorySegment weight,
      MemorySegment bias,
      float eps,
      FloatMatrix output) {
    kernels.layerNorm(input, rows, weight, bias, eps, output);
  }

  @Override
  public void gelu(FloatMatrix x, int rows) {
    kernels.gelu(x, rows);
  }

  @Override
  public void scale(FloatMatrix x, int rows, float factor) {
    kernels.scale(x, rows, factor);
  }

  @Override
  public void copyRow(FloatMatrix source, int from, FloatMatrix target, int to) {
    kernels.copyRow(source, from, target, to);
  }

  @Override
  public void keep(FloatMatrix activations) {
    kernels.keep(activations);
  }

  @Override
  public void fetch(FloatMatrix x, int rows) {
    kernels.fetch(x, rows);
  }

  @Override
  public void publish(FloatMatrix x, int rows) {
    kernels.publish(x, rows);
  }

  @Override
  public void finish() {
    kernels.finish();
  }

  @Override
  public PageMemory pageMemory(PageMemory host) {
    return kernels.pageMemory(host);
  }

  @Override
  public void close() {
    kernels.close();
  }
}
