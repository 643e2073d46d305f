package org.llamaj.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;

/**
 * Kernels that are others and do a little more: every operation is that of {@link #plain()}, unless
 * an implementation says otherwise.
 */
public interface DecoratedKernels extends Kernels {

  /** The kernels that do the work. */
  Kernels plain();

  @Override
  default String description() {
    return plain().description();
  }

  @Override
  default WeightMatrix weightMatrix(Tensor tensor) {
    return plain().weightMatrix(tensor);
  }

  @Override
  default void embed(WeightMatrix table, int[] ids, int count, FloatMatrix output) {
    plain().embed(table, ids, count, output);
  }

  @Override
  default void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    plain().rmsNorm(input, rows, weight, eps, output);
  }

  @Override
  default void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    plain().rotate(x, rows, headDim, angles, pairs);
  }

  @Override
  default void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    plain().store(keys, values, spans, spanCount, shape);
  }

  @Override
  default void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    plain().attention(queries, spans, spanCount, shape, output);
  }

  @Override
  default void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    plain().swiGlu(gate, up, rows);
  }

  @Override
  default boolean mix(
      FloatMatrix input, FloatMatrix scores, int rows, Mixture mixture, FloatMatrix output) {
    return plain().mix(input, scores, rows, mixture, output);
  }

  @Override
  default void add(FloatMatrix x, FloatMatrix y, int rows) {
    plain().add(x, y, rows);
  }

  @Override
  default void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    plain().addBias(x, rows, bias);
  }

  @Override
  default void layerNorm(
      FloatMatrix input,
      int rows,
      MemorySegment weight,
      MemorySegment bias,
      float eps,
      FloatMatrix output) {
    plain().layerNorm(input, rows, weight, bias, eps, output);
  }

  @Override
  default void gelu(FloatMatrix x, int rows) {
    plain().gelu(x, rows);
  }

  @Override
  default void scale(FloatMatrix x, int rows, float factor) {
    plain().scale(x, rows, factor);
  }

  @Override
  default void best(FloatMatrix x, int rows, int count, int[] indices, float[] values) {
    plain().best(x, rows, count, indices, values);
  }

  @Override
  default void copyRow(FloatMatrix source, int from, FloatMatrix target, int to) {
    plain().copyRow(source, from, target, to);
  }

  @Override
  default void keep(FloatMatrix activations) {
    plain().keep(activations);
  }

  @Override
  default void fetch(FloatMatrix x, int rows) {
    plain().fetch(x, rows);
  }

  @Override
  default void publish(FloatMatrix x, int rows) {
    plain().publish(x, rows);
  }

  @Override
  default void finish() {
    plain().finish();
  }

  @Override
  default PageMemory pageMemory(PageMemory host) {
    return plain().pageMemory(host);
  }

  @Override
  default Optional<Roof> roof() {
    return plain().roof();
  }

  @Override
  default void close() {
    plain().close();
  }
}
