package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.Kernels;
import org.llamaj.tensor.FloatMatrix;

/**
 * One layer of the decoder, pre-norm and residual:
 *
 * <pre>
 * x = x + attention(rmsNorm(x))
 * x = x + feedForward(rmsNorm(x))
 * </pre>
 */
final class DecoderLayer implements Layer {
  private final Kernels kernels;
  private final Workspace workspace;
  private final float normEps;
  private final MemorySegment attentionNorm; // dim values
  private final Attention attention;
  private final MemorySegment feedForwardNorm; // dim values
  private final FeedForward feedForward;

  DecoderLayer(
      Kernels kernels,
      Workspace workspace,
      float normEps,
      MemorySegment attentionNorm,
      Attention attention,
      MemorySegment feedForwardNorm,
      FeedForward feedForward) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.normEps = normEps;
    this.attentionNorm = attentionNorm;
    this.attention = attention;
    this.feedForwardNorm = feedForwardNorm;
    this.feedForward = feedForward;
  }

  @Override
  public void forward(Batch batch) {
    int rows = batch.size();
    FloatMatrix x = workspace.residual();
    FloatMatrix normed = workspace.normed();

    kernels.rmsNorm(x, rows, attentionNorm, normEps, normed);
    kernels.add(x, attention.forward(normed, rows, batch.spans(), batch.spanCount()), rows);

    kernels.rmsNorm(x, rows, feedForwardNorm, normEps, normed);
    kernels.add(x, feedForward.forward(normed, rows), rows);
  }
}
