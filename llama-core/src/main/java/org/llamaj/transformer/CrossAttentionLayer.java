package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/**
 * A layer in which tokens attend to the states of an encoder (Llama 3.2 Vision), as {@code
 * MllamaCrossAttentionDecoderLayer} of the transformers library:
 *
 * <pre>
 * x = x + tanh(attentionGate) attention(rmsNorm(x), states)
 * x = x + tanh(feedForwardGate) feedForward(rmsNorm(x))
 * </pre>
 *
 * Queries and keys are normalised per head and have no positions. Keys and values are computed once
 * per picture. Rows that see no picture pass unchanged.
 */
final class CrossAttentionLayer implements Layer {

  /**
   * The weights of a layer.
   *
   * @param query [heads x headDim, dim]
   * @param key [kvHeads x headDim, dim]
   * @param value [kvHeads x headDim, dim]
   * @param output [dim, heads x headDim]
   * @param queryNorm headDim values
   * @param keyNorm headDim values
   * @param attentionNorm dim values
   * @param feedForwardNorm dim values
   * @param attentionGate factor on the attention, already through tanh
   * @param feedForwardGate factor on the feed-forward network, already through tanh
   */
  record Weights(
      WeightMatrix query,
      WeightMatrix key,
      WeightMatrix value,
      WeightMatrix output,
      MemorySegment queryNorm,
      MemorySegment keyNorm,
      MemorySegment attentionNorm,
      MemorySegment feedForwardNorm,
      float attentionGate,
      float feedForwardGate) {}

  private final Kernels kernels;
  private final AttentionShape shape;
  private final Workspace workspace;
  private final float normEps;
  private final Weights weights;
  private final FeedForward feedForward;
  private final boolean last;
  private final FloatMatrix queryHeads; // one head per row
  private final FloatMatrix keyHeads;
  private final Projection[] query;
  private final Projection[] keyValue;
  private final Projection[] output;

  /**
   * @param shape its layer counts the layers of this kind
   */
  CrossAttentionLayer(
      Kernels kernels,
      AttentionShape shape,
      Workspace workspace,
      float normEps,
      Weights weights,
      FeedForward feedForward,
      boolean last) {
    this.last = last;
    this.kernels = kernels;
    this.shape = shape;
    this.workspace = workspace;
    this.normEps = normEps;
    this.weights = weights;
    this.feedForward = feedForward;
    queryHeads = workspace.queries().withColumns(shape.headDim());
    keyHeads = workspace.keys().withColumns(shape.headDim());
    query = new Projection[] {new Projection(weights.query(), workspace.queries())};
    keyValue =
        new Projection[] {
          new Projection(weights.key(), workspace.keys()),
          new Projection(weights.value(), workspace.values())
        };
    output = new Projection[] {new Projection(weights.output(), workspace.projected())};
  }

  /**
   * Computes and stores keys and values of states.
   *
   * @param states rows of dim values
   * @param pages receives them; has room
   * @param firstKey where they go, after those of other pictures
   */
  void look(FloatMatrix states, PageTable pages, int firstKey) {
    FloatMatrix input = workspace.normed();
    for (int first = 0; first < states.rows(); first += input.rows()) {
      int rows = Math.min(input.rows(), states.rows() - first);
      input.rows(0, rows).data().copyFrom(states.rows(first, rows).data());
      kernels.publish(input, rows);
      kernels.project(input, rows, keyValue);
      kernels.rmsNorm(keyHeads, rows * shape.kvHeads(), weights.keyNorm(), normEps, keyHeads);
      Span[] span = {new Span(pages, 0, rows, firstKey + first)};
      kernels.store(workspace.keys(), workspace.values(), span, 1, shape);
    }
  }

  @Override
  public void forward(Batch batch) {
    if (batch.seeingCount() > 0) {
      see(batch);
    }
    if (last) {
      batch.wanted().moveUp(kernels, workspace.residual());
    }
  }

  private void see(Batch batch) {
    int rows = batch.size();
    FloatMatrix x = workspace.residual();
    FloatMatrix normed = workspace.normed();

    kernels.rmsNorm(x, rows, weights.attentionNorm(), normEps, normed);
    kernels.project(normed, rows, query);
    kernels.rmsNorm(queryHeads, rows * shape.heads(), weights.queryNorm(), normEps, queryHeads);
    kernels.attention(
        workspace.queries(), batch.seeing(), batch.seeingCount(), shape, workspace.attended());
    kernels.project(workspace.attended(), rows, output);
    addGated(batch, x, workspace.projected(), weights.attentionGate());

    kernels.rmsNorm(x, rows, weights.feedForwardNorm(), normEps, normed);
    addGated(batch, x, feedForward.forward(normed, rows), weights.feedForwardGate());
  }

  /** To the rows that see something only. */
  private void addGated(Batch batch, FloatMatrix x, FloatMatrix y, float gate) {
    kernels.scale(y, batch.size(), gate);
    kernels.fetch(y, batch.size());
    int row = 0;
    for (int i = 0; i < batch.seeingCount(); i++) {
      Span span = batch.seeing()[i];
      clear(y, row, span.firstRow());
      row = span.firstRow() + span.rows();
    }
    clear(y, row, batch.size());
    kernels.publish(y, batch.size());
    kernels.add(x, y, batch.size());
  }

  private static void clear(FloatMatrix y, int from, int to) {
    if (from < to) {
      y.rows(from, to - from).data().fill((byte) 0);
    }
  }
}
