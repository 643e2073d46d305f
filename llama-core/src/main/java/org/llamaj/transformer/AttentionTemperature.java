package org.llamaj.transformer;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.tensor.FloatMatrix;

/**
 * Multiplies the queries of global layers by their {@link InterleavedAttention#temperature}: a
 * rotation by the angle 0 whose magnitude is the temperature, so that the kernels need no operation
 * of its own for it. Computed once per batch, used by all global layers.
 */
final class AttentionTemperature {
  private final InterleavedAttention attention;
  private final FloatMatrix rotations; // [rows, headDim]: (temperature, 0) for each pair
  private boolean allOne;

  AttentionTemperature(Arena arena, int rows, Configuration c) {
    attention = c.interleaved();
    rotations = FloatMatrix.allocate(arena, rows, c.headDim());
  }

  void keepOn(Kernels kernels) {
    kernels.keep(rotations);
  }

  /** Takes over the positions of a batch. */
  void prepare(Kernels kernels, int[] positions, int rows) {
    allOne = true;
    for (int row = 0; row < rows && allOne; row++) {
      allOne = attention.temperature(positions[row]) == 1;
    }
    if (allOne) {
      return;
    }
    for (int row = 0; row < rows; row++) {
      float temperature = (float) attention.temperature(positions[row]);
      for (int i = 0; i < rotations.columns(); i += 2) {
        rotations.set(row, i, temperature);
      }
    }
    kernels.publish(rotations, rows);
  }

  /** Multiplies queries, rows of heads x headDim values, in place. */
  void scale(Kernels kernels, FloatMatrix queries, int rows) {
    if (!allOne) {
      kernels.rotate(queries, rows, rotations.columns(), rotations, RotaryPairs.INTERLEAVED);
    }
  }
}
