package org.llamaj.moe;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Kernels;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.transformer.Configuration;
import org.llamaj.transformer.Experts;
import org.llamaj.transformer.SwiGluFeedForward;

/**
 * Memory of the mixtures of one model. Layers run one after the other, so they share it.
 *
 * @param scores of the router, [rows, experts]
 * @param dispatch which tokens go where
 * @param gathered one expert's tokens, [rows, dim]
 * @param hidden within an expert
 * @param expertOutput of one expert, [rows, dim]
 * @param sharedHidden within the shared expert
 * @param sharedOutput of the shared expert, [rows, dim]
 * @param output sum of all experts, [rows, dim]
 */
record Workspace(
    FloatMatrix scores,
    Dispatch dispatch,
    FloatMatrix gathered,
    SwiGluFeedForward.Scratch hidden,
    FloatMatrix expertOutput,
    SwiGluFeedForward.Scratch sharedHidden,
    FloatMatrix sharedOutput,
    FloatMatrix output) {

  static Workspace allocate(Arena arena, int rows, Configuration c) {
    Experts experts = c.experts();
    int ofShared = experts.shared() ? rows : 0;
    return new Workspace(
        FloatMatrix.allocate(arena, rows, experts.count()),
        new Dispatch(rows, experts.count(), experts.used()),
        FloatMatrix.allocate(arena, rows, c.dim()),
        SwiGluFeedForward.Scratch.allocate(arena, rows, experts.feedForwardDim()),
        FloatMatrix.allocate(arena, rows, c.dim()),
        SwiGluFeedForward.Scratch.allocate(arena, ofShared, experts.feedForwardDim()),
        FloatMatrix.allocate(arena, ofShared, c.dim()),
        FloatMatrix.allocate(arena, rows, c.dim()));
  }

  /**
   * Lets kernels keep what all tokens go through where they compute. The rest is used when experts
   * are called one by one, which is where their weights stay with the processor.
   */
  void keepOn(Kernels kernels) {
    kernels.keep(scores);
    sharedHidden.keepOn(kernels);
    kernels.keep(sharedOutput);
    kernels.keep(output);
  }

  /** The memory that {@link #allocate} takes outside the heap. */
  static long bytes(int rows, Configuration c) {
    Experts experts = c.experts();
    long sets = experts.shared() ? 2 : 1;
    return Float.BYTES * (long) rows * (experts.count() + (2L + sets) * c.dim())
        + sets * SwiGluFeedForward.Scratch.bytes(rows, experts.feedForwardDim());
  }
}
