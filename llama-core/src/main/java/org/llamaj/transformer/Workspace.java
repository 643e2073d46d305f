package org.llamaj.transformer;

import java.lang.foreign.Arena;
import java.util.List;
import org.llamaj.kernel.Kernels;
import org.llamaj.tensor.FloatMatrix;

/**
 * The activations of a forward pass, one row per token of the batch; allocated once per model.
 *
 * @param residual the residual stream, [rows, dim]
 * @param normed input of a half layer, [rows, dim]
 * @param queries [rows, heads x headDim]
 * @param keys [rows, kvHeads x headDim]
 * @param values [rows, kvHeads x headDim]
 * @param attended what attention read, [rows, heads x headDim]
 * @param projected output of a half layer, [rows, dim]
 * @param temperature of global attention layers
 * @param angles cosines and sines of the rotary embedding, [rows, rope.dimensions]
 */
record Workspace(
    FloatMatrix residual,
    FloatMatrix normed,
    FloatMatrix queries,
    FloatMatrix keys,
    FloatMatrix values,
    FloatMatrix attended,
    FloatMatrix projected,
    AttentionTemperature temperature,
    FloatMatrix angles) {

  static Workspace allocate(Arena arena, int rows, Configuration c) {
    int queryDim = c.heads() * c.headDim();
    int kvDim = c.kvHeads() * c.headDim();
    return new Workspace(
        FloatMatrix.allocate(arena, rows, c.dim()),
        FloatMatrix.allocate(arena, rows, c.dim()),
        FloatMatrix.allocate(arena, rows, queryDim),
        FloatMatrix.allocate(arena, rows, kvDim),
        FloatMatrix.allocate(arena, rows, kvDim),
        FloatMatrix.allocate(arena, rows, queryDim),
        FloatMatrix.allocate(arena, rows, c.dim()),
        new AttentionTemperature(arena, rows, c),
        FloatMatrix.allocate(arena, rows, c.rope().dimensions()));
  }

  /** Lets kernels keep all of it where they compute. */
  void keepOn(Kernels kernels) {
    for (FloatMatrix matrix :
        List.of(residual, normed, queries, keys, values, attended, projected, angles)) {
      kernels.keep(matrix);
    }
    temperature.keepOn(kernels);
  }

  /** The memory that {@link #allocate} takes. */
  static long bytes(int rows, Configuration c) {
    long queryDim = (long) c.heads() * c.headDim();
    long kvDim = (long) c.kvHeads() * c.headDim();
    long columns = 3L * c.dim() + 2 * queryDim + 2 * kvDim + c.headDim() + c.rope().dimensions();
    return Float.BYTES * rows * columns;
  }

  int rows() {
    return residual.rows();
  }
}
