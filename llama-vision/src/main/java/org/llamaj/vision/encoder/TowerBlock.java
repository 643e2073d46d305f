package org.llamaj.vision.encoder;

import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/**
 * A layer of a vision transformer (Dosovitskiy et al. 2020), pre-norm and residual:
 *
 * <pre>
 * x = x + gate (attention(layerNorm(x)))
 * x = x + gate (down(gelu(up(layerNorm(x)))))
 * </pre>
 *
 * The gates are 1 in all layers but the global ones of Llama 3.2 Vision.
 */
public final class TowerBlock {

  /**
   * The weights of a layer. Biases may be null.
   *
   * @param norm1Weight dim values
   * @param norm1Bias dim values
   * @param query [dim, dim]
   * @param key [dim, dim]
   * @param value [dim, dim]
   * @param output [dim, dim]
   * @param queryBias dim values
   * @param keyBias dim values
   * @param valueBias dim values
   * @param outputBias dim values
   * @param norm2Weight dim values
   * @param norm2Bias dim values
   * @param up [wide, dim]
   * @param upBias wide values
   * @param down [dim, wide]
   * @param downBias dim values
   * @param attentionGate factor on the attention
   * @param feedForwardGate factor on the feed-forward network
   */
  public record Weights(
      MemorySegment norm1Weight,
      MemorySegment norm1Bias,
      WeightMatrix query,
      WeightMatrix key,
      WeightMatrix value,
      WeightMatrix output,
      MemorySegment queryBias,
      MemorySegment keyBias,
      MemorySegment valueBias,
      MemorySegment outputBias,
      MemorySegment norm2Weight,
      MemorySegment norm2Bias,
      WeightMatrix up,
      MemorySegment upBias,
      WeightMatrix down,
      MemorySegment downBias,
      float attentionGate,
      float feedForwardGate) {}

  private final Weights weights;
  private final float normEps;

  /**
   * @param weights made by the kernels of the passes
   * @param normEps added to the variance in the norms
   */
  public TowerBlock(Weights weights, float normEps) {
    this.weights = weights;
    this.normEps = normEps;
  }

  /**
   * Passes rows through the layer, in place.
   *
   * @param pass the rows and the memory to compute in
   */
  public void forward(TowerPass pass) {
    Kernels kernels = pass.kernels();
    FloatMatrix x = pass.residual();
    int rows = x.rows();

    kernels.layerNorm(x, rows, weights.norm1Weight(), weights.norm1Bias(), normEps, pass.normed());
    kernels.project(
        pass.normed(),
        rows,
        new Projection(weights.query(), pass.queries()),
        new Projection(weights.key(), pass.keys()),
        new Projection(weights.value(), pass.values()));
    addBias(kernels, pass.queries(), weights.queryBias());
    addBias(kernels, pass.keys(), weights.keyBias());
    addBias(kernels, pass.values(), weights.valueBias());
    pass.attend();
    kernels.project(pass.attended(), rows, new Projection(weights.output(), pass.normed()));
    addBias(kernels, pass.normed(), weights.outputBias());
    addGated(kernels, x, pass.normed(), weights.attentionGate());

    kernels.layerNorm(x, rows, weights.norm2Weight(), weights.norm2Bias(), normEps, pass.normed());
    kernels.project(pass.normed(), rows, new Projection(weights.up(), pass.wide()));
    addBias(kernels, pass.wide(), weights.upBias());
    kernels.gelu(pass.wide(), rows);
    kernels.project(pass.wide(), rows, new Projection(weights.down(), pass.normed()));
    addBias(kernels, pass.normed(), weights.downBias());
    addGated(kernels, x, pass.normed(), weights.feedForwardGate());
  }

  private static void addBias(Kernels kernels, FloatMatrix x, MemorySegment bias) {
    if (bias != null) {
      kernels.addBias(x, x.rows(), bias);
    }
  }

  private static void addGated(Kernels kernels, FloatMatrix x, FloatMatrix y, float gate) {
    if (gate != 1) {
      kernels.scale(y, y.rows(), gate);
    }
    kernels.add(x, y, x.rows());
  }
}
