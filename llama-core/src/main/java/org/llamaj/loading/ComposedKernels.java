package org.llamaj.loading;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/**
 * Kernels of one provider, with the attention of another one that can do with the type of the
 * cache.
 */
record ComposedKernels(Kernels main, Kernels cache) implements Kernels {

  @Override
  public String description() {
    return "%s; attention: %s".formatted(main.description(), cache.description());
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    return main.weightMatrix(tensor);
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    main.project(input, rows, projections);
  }

  @Override
  public void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    main.embed(table, ids, count, output);
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    main.rmsNorm(input, rows, weight, eps, output);
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    main.rotate(x, rows, headDim, angles, pairs);
  }

  @Override
  public boolean supports(CacheType type) {
    return cache.supports(type);
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    cache.store(keys, values, spans, spanCount, shape);
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    cache.attention(queries, spans, spanCount, shape, output);
  }

  @Override
  public void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    main.swiGlu(gate, up, rows);
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    main.add(x, y, rows);
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    main.addBias(x, rows, bias);
  }

  @Override
  public void close() {
    main.close();
    cache.close();
  }
}
