package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/**
 * Multi-head self-attention with grouped queries (Vaswani et al. 2017, Ainslie et al. 2023) and
 * rotary positions: softmax(q k^T / sqrt(headDim)) v, over all keys and values stored so far, or
 * those of the current chunk. Layers of {@link InterleavedAttention} may be without positions.
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

  /** How a layer takes the order of the tokens into account. */
  enum Positions {
    /** Queries and keys are rotated. */
    ROTARY,
    /** Queries and keys are rotated, then each head is normalised. */
    ROTARY_NORMALISED,
    /** Not at all; queries are scaled by a temperature. */
    NONE
  }

  private final Kernels kernels;
  private final AttentionShape shape;
  private final Workspace workspace;
  private final Weights weights;
  private final Positions positions;
  private final RotaryPairs rotaryPairs;
  private final float normEps;
  private final FloatMatrix queryHeads; // the queries, one head per row
  private final FloatMatrix keyHeads;
  private final Projection[] queryKeyValue;
  private final Projection[] output;

  Attention(
      Kernels kernels,
      AttentionShape shape,
      Positions positions,
      RotaryPairs rotaryPairs,
      float normEps,
      Workspace workspace,
      Weights weights) {
    this.kernels = kernels;
    this.positions = positions;
    this.rotaryPairs = rotaryPairs;
    this.normEps = normEps;
    this.shape = shape;
    this.workspace = workspace;
    this.weights = weights;
    queryHeads = workspace.queries().withColumns(shape.headDim());
    keyHeads = workspace.keys().withColumns(shape.headDim());
    queryKeyValue =
        new Projection[] {
          new Projection(weights.query(), workspace.queries()),
          new Projection(weights.key(), workspace.keys()),
          new Projection(weights.value(), workspace.values())
        };
    output = new Projection[] {new Projection(weights.output(), workspace.projected())};
  }

  /**
   * Computes queries, keys and values and appends keys and values to their sequences' caches.
   *
   * @param input rows of dim values, already normalised
   * @param rows how many rows
   * @param spans which rows belong to which sequence
   * @param spanCount how many of the spans count
   */
  void store(FloatMatrix input, int rows, Span[] spans, int spanCount) {
    FloatMatrix queries = workspace.queries();
    FloatMatrix keys = workspace.keys();
    FloatMatrix values = workspace.values();

    kernels.project(input, rows, queryKeyValue);
    addBias(queries, rows, weights.queryBias());
    addBias(keys, rows, weights.keyBias());
    addBias(values, rows, weights.valueBias());

    switch (positions) {
      case ROTARY -> rotate(rows);
      case ROTARY_NORMALISED -> {
        rotate(rows);
        kernels.rmsNorm(queryHeads, rows * shape.heads(), null, normEps, queryHeads);
        kernels.rmsNorm(keyHeads, rows * shape.kvHeads(), null, normEps, keyHeads);
      }
      case NONE -> workspace.temperature().scale(kernels, queries, rows);
    }
    kernels.store(keys, values, spans, spanCount, shape);
  }

  /**
   * Computes attention of the queries that {@link #store} has left in the workspace.
   *
   * @param rows how many rows
   * @param spans which rows belong to which sequence
   * @param spanCount how many of the spans count
   * @return rows of dim values, valid until the next call
   */
  FloatMatrix attend(int rows, Span[] spans, int spanCount) {
    kernels.attention(workspace.queries(), spans, spanCount, shape, workspace.attended());
    kernels.project(workspace.attended(), rows, output);
    addBias(workspace.projected(), rows, weights.outputBias());
    return workspace.projected();
  }

  private void rotate(int rows) {
    kernels.rotate(workspace.queries(), rows, shape.headDim(), workspace.angles(), rotaryPairs);
    kernels.rotate(workspace.keys(), rows, shape.headDim(), workspace.angles(), rotaryPairs);
  }

  private void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    if (bias != null) {
      kernels.addBias(x, rows, bias);
    }
  }
}
