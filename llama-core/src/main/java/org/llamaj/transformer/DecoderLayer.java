package org.llamaj.transformer;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.Span;
import org.llamaj.tensor.FloatMatrix;

/**
 * One layer of the decoder, pre-norm and residual:
 *
 * <pre>
 * x = x + attention(rmsNorm(x))
 * x = x + feedForward(rmsNorm(x))
 * </pre>
 *
 * The last layer does only what the {@link WantedRows} need, and moves them to the beginning.
 */
final class DecoderLayer implements Layer {
  private final AdaptedKernels kernels;
  private final Workspace workspace;
  private final float normEps;
  private final MemorySegment attentionNorm; // dim values
  private final Attention attention;
  private final MemorySegment feedForwardNorm; // dim values
  private final FeedForward feedForward;
  private final boolean last;

  DecoderLayer(
      AdaptedKernels kernels,
      Workspace workspace,
      float normEps,
      MemorySegment attentionNorm,
      Attention attention,
      MemorySegment feedForwardNorm,
      FeedForward feedForward,
      boolean last) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.normEps = normEps;
    this.attentionNorm = attentionNorm;
    this.attention = attention;
    this.feedForwardNorm = feedForwardNorm;
    this.feedForward = feedForward;
    this.last = last;
  }

  @Override
  public void forward(Batch batch) {
    FloatMatrix x = workspace.residual();
    FloatMatrix normed = workspace.normed();

    kernels.rmsNorm(x, batch.size(), attentionNorm, normEps, normed);
    attention.store(normed, batch.size(), batch.spans(), batch.spanCount());
    if (!last) {
      finish(batch.size(), batch.spans(), batch.spanCount());
      return;
    }
    WantedRows wanted = batch.wanted();
    wanted.moveUp(kernels, x);
    wanted.moveUp(kernels, workspace.queries());
    if (wanted.count() > 0) {
      kernels.beginWanted(batch);
      finish(wanted.count(), wanted.spans(), wanted.spanCount());
    }
  }

  /** What comes after keys and values are stored. */
  private void finish(int rows, Span[] spans, int spanCount) {
    FloatMatrix x = workspace.residual();
    FloatMatrix normed = workspace.normed();

    kernels.add(x, attention.attend(rows, spans, spanCount), rows);

    kernels.rmsNorm(x, rows, feedForwardNorm, normEps, normed);
    kernels.add(x, feedForward.forward(normed, rows), rows);
  }
}
