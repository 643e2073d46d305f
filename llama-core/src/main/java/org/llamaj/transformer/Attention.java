package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/**
 * Multi-head self-attention with grouped queries (Vaswani et al. 2017, Ainslie et al. 2023) and
 * rotary positions: softmax(q k^T / sqrt(headDim)) v, over all keys and values stored so far.
 */
final class Attention {

  /**
   * The weights of one layer's attention.
   *
   * @param query [heads x headDim, dim]
   * @param key [kvHeads x headDim, dim]
   * @param value [kvHeads x headDim, dim]
   * @param output [dim, heads x headDim]
   * @param queryBias heads x headDim values, or null
   * @param keyBias kvHeads x headDim values, or null
   * @param valueBias kvHeads x headDim values, or null
   * @param outputBias dim values, or null
   */
  record Weights(
      WeightMatrix query,
      WeightMatrix key,
      WeightMatrix value,
      WeightMatrix output,
      MemorySegment queryBias,
      MemorySegment keyBias,
      MemorySegment valueBias,
      MemorySegment outputBias) {}

  private final Kernels kernels;
  private final AttentionShape shape;
  private final Workspace workspace;
  private final Weights weights;
  private final Projection[] queryKeyValue;
  private final Projection[] output;

  Attention(Kernels kernels, AttentionShape shape, Workspace workspace, Weights weights) {
    this.kernels = kernels;
    this.shape = shape;
    this.workspace = workspace;
    this.weights = weights;
    queryKeyValue =
        new Projection[] {
          new Projection(weights.query(), workspace.queries()),
          new Projection(weights.key(), workspace.keys()),
          new Projection(weights.value(), workspace.values())
        };
    output = new Projection[] {new Projection(weights.output(), workspace.projected())};
  }

  /**
   * Computes attention and appends the rows' keys and values to their sequences' caches.
   *
   * @param input rows of dim values, already normalised
   * @param rows how many rows
   * @param spans which rows belong to which sequence
   * @param spanCount how many of the spans count
   * @return rows of dim values, valid until the next call
   */
  FloatMatrix forward(FloatMatrix input, int rows, Span[] spans, int spanCount) {
    FloatMatrix queries = workspace.queries();
    FloatMatrix keys = workspace.keys();
    FloatMatrix values = workspace.values();

    kernels.project(input, rows, queryKeyValue);
    addBias(queries, rows, weights.queryBias());
    addBias(keys, rows, weights.keyBias());
    addBias(values, rows, weights.valueBias());

    kernels.rotate(queries, rows, shape.headDim(), workspace.angles());
    kernels.rotate(keys, rows, shape.headDim(), workspace.angles());
    kernels.store(keys, values, spans, spanCount, shape);

    kernels.attention(queries, spans, spanCount, shape, workspace.attended());

    kernels.project(workspace.attended(), rows, output);
    addBias(workspace.projected(), rows, weights.outputBias());
    return workspace.projected();
  }

  private void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    if (bias != null) {
      kernels.addBias(x, rows, bias);
    }
  }
}
