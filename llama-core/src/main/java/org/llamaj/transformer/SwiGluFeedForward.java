package org.llamaj.transformer;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.tensor.FloatMatrix;

/** The feed-forward network with SwiGLU (Shazeer 2020): (silu(x gate) * (x up)) down. */
public final class SwiGluFeedForward implements FeedForward {

  /**
   * The weights of a network.
   *
   * @param gate [feedForwardDim, dim]
   * @param up [feedForwardDim, dim]
   * @param down [dim, feedForwardDim]
   */
  public record Weights(WeightMatrix gate, WeightMatrix up, WeightMatrix down) {}

  /**
   * Memory between the products. Networks that run one after the other share it.
   *
   * @param gate [rows, feedForwardDim]
   * @param up [rows, feedForwardDim]
   */
  public record Scratch(FloatMatrix gate, FloatMatrix up) {

    /**
     * The memory that {@link #allocate} takes.
     *
     * @param rows the most rows of a call
     * @param feedForwardDim width of the networks
     * @return bytes
     */
    public static long bytes(int rows, int feedForwardDim) {
      return 2L * Float.BYTES * rows * feedForwardDim;
    }

    /**
     * Lets kernels keep it where they compute.
     *
     * @param kernels those of the networks
     */
    public void keepOn(Kernels kernels) {
      kernels.keep(gate);
      kernels.keep(up);
    }

    /**
     * Memory for networks of one width.
     *
     * @param arena owns it
     * @param rows the most rows of a call
     * @param feedForwardDim width of the networks
     * @return the memory
     */
    public static Scratch allocate(Arena arena, int rows, int feedForwardDim) {
      return new Scratch(
          FloatMatrix.allocate(arena, rows, feedForwardDim),
          FloatMatrix.allocate(arena, rows, feedForwardDim));
    }
  }

  private final Kernels kernels;
  private final Scratch scratch;
  private final FloatMatrix output; // [rows, dim]
  private final Projection[] gateAndUp;
  private final Projection[] down;

  /**
   * Makes a network.
   *
   * @param kernels the arithmetic
   * @param weights made by these kernels
   * @param scratch of the weights' width
   * @param output receives the results, rows of dim values
   */
  public SwiGluFeedForward(Kernels kernels, Weights weights, Scratch scratch, FloatMatrix output) {
    this.kernels = kernels;
    this.scratch = scratch;
    this.output = output;
    gateAndUp =
        new Projection[] {
          new Projection(weights.gate(), scratch.gate()), new Projection(weights.up(), scratch.up())
        };
    down = new Projection[] {new Projection(weights.down(), output)};
  }

  @Override
  public FloatMatrix forward(FloatMatrix input, int rows) {
    kernels.project(input, rows, gateAndUp);
    kernels.swiGlu(scratch.gate(), scratch.up(), rows);
    kernels.project(scratch.gate(), rows, down);
    return output;
  }
}
