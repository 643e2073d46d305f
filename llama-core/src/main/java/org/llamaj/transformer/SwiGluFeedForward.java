package org.llamaj.transformer;

import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/** The dense feed-forward network with SwiGLU (Shazeer 2020): (silu(x gate) * (x up)) down. */
final class SwiGluFeedForward implements FeedForward {
  private final Kernels kernels;
  private final FloatMatrix gate; // [rows, feedForwardDim]
  private final FloatMatrix up; // [rows, feedForwardDim]
  private final FloatMatrix output; // [rows, dim]
  private final Projection[] gateAndUp;
  private final Projection[] down;

  SwiGluFeedForward(
      Kernels kernels,
      Workspace workspace,
      WeightMatrix gateWeight,
      WeightMatrix upWeight,
      WeightMatrix downWeight) {
    this.kernels = kernels;
    gate = workspace.gate();
    up = workspace.up();
    output = workspace.projected();
    gateAndUp = new Projection[] {new Projection(gateWeight, gate), new Projection(upWeight, up)};
    down = new Projection[] {new Projection(downWeight, output)};
  }

  @Override
  public FloatMatrix forward(FloatMatrix input, int rows) {
    kernels.project(input, rows, gateAndUp);
    kernels.swiGlu(gate, up, rows);
    kernels.project(gate, rows, down);
    return output;
  }
}
