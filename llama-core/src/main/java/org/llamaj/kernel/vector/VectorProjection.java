package org.llamaj.kernel.vector;

import static org.llamaj.kernel.vector.Lanes.f32;

import java.lang.foreign.Arena;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/**
 * Matrix products of activations with weights, in one of three ways.
 *
 * <ul>
 *   <li>One row: dot products with weights decoded in registers; memory is the limit.
 *   <li>A few rows: each weight row is decoded to floats once, then multiplied with all of them.
 *   <li>Many rows: the activations are transposed into tiles, weights decoded in panels, and both
 *       multiplied by {@link Tile}; arithmetic is the limit.
 * </ul>
 */
final class VectorProjection {
  /** From so many activation rows on, tiles are worth their transposition. */
  private static final int TILED_ROWS = 8;

  /** Activation rows that are multiplied with a decoded panel at a time. */
  private static final int BLOCK_ROWS = 512;

  /** Weight rows in a panel. */
  private static final int PANEL_OUTPUTS = 32;

  /** Columns in a panel: with {@link #PANEL_OUTPUTS} rows an eighth of a second-level cache. */
  private static final int PANEL_COLUMNS = 1024;

  /**
   * Bytes of weights that a worker takes at a time when memory is the limit: the more, the longer
   * are the streams that it reads; and the fewest, where there are many workers to share them.
   */
  private static final long MOST_CHUNK_BYTES = 1 << 18;

  private static final long LEAST_CHUNK_BYTES = 1 << 16;

  /** Formats take up to four rows at once. */
  private static final int ROW_STEP = 4;

  private final Workers workers;
  private final Scratch[] scratch;
  private final Scratch shared;
  private final DotTask dots = new DotTask();
  private final PackTask pack = new PackTask();
  private final PanelTask panels = new PanelTask();

  private int rows;
  private FloatMatrix input;
  private Projection[] projections;

  /** Per projection, the number of the first chunk; and where its arranged activations are. */
  private int[] firstChunk = new int[8];

  private long[] arranged = new long[8];

  VectorProjection(Workers workers, Arena arena, Scratch[] scratch) {
    this.workers = workers;
    this.scratch = scratch;
    this.shared = new Scratch(arena);
  }

  void project(FloatMatrix input, int rows, Projection... projections) {
    this.input = input;
    this.rows = rows;
    this.projections = projections;
    if (firstChunk.length <= projections.length) {
      firstChunk = new int[2 * projections.length];
      arranged = new long[2 * projections.length];
    }
    if (rows >= TILED_ROWS) {
      tiled();
    } else {
      dots();
    }
    this.projections = null;
  }

  private static VectorWeights weights(Projection projection) {
    return (VectorWeights) projection.weight();
  }

  // --- one row, or a few

  private void dots() {
    if (rows == 1) {
      arrange();
    }
    int chunks = 0;
    for (int p = 0; p < projections.length; p++) {
      firstChunk[p] = chunks;
      chunks += Math.ceilDiv(weights(projections[p]).outputs(), chunkOutputs(projections[p]));
    }
    firstChunk[projections.length] = chunks;
    workers.run(chunks, dots);
  }

  private int chunkOutputs(Projection projection) {
    VectorWeights weights = weights(projection);
    long share = weights.outputs() * weights.rowBytes() / (4L * workers.threads());
    long bytes = Math.clamp(share, LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES);
    return (int) Math.ceilDiv(bytes, ROW_STEP * weights.rowBytes()) * ROW_STEP;
  }

  /** Arranges the only row for each format at hand. */
  private void arrange() {
    int columns = input.columns();
    long floats = 0;
    for (Projection projection : projections) {
      floats += weights(projection).format().preparedFloats(columns) + 16;
    }
    long next = shared.floats(floats);
    for (int p = 0; p < projections.length; p++) {
      Format format = weights(projections[p]).format();
      int same = 0;
      while (weights(projections[same]).format() != format) {
        same++;
      }
      if (same < p) {
        arranged[p] = arranged[same];
      } else {
        arranged[p] = format.prepare(input.address(), columns, next);
        next += 4L * Math.ceilDiv(format.preparedFloats(columns), 16) * 16;
      }
    }
  }

  private final class DotTask implements Workers.Task {
    @Override
    public void run(int chunk, int worker) {
      int p = 0;
      while (chunk >= firstChunk[p + 1]) {
        p++;
      }
      VectorWeights weights = weights(projections[p]);
      int outputs = weights.outputs();
      int count = chunkOutputs(projections[p]);
      int first = (chunk - firstChunk[p]) * count;
      count = Math.min(count, outputs - first);
      long address = weights.address() + first * weights.rowBytes();
      long output = projections[p].output().address() + 4L * first;
      if (rows == 1) {
        weights
            .format()
            .multiply(
                address,
                weights.rowBytes(),
                count,
                arranged[p],
                input.columns(),
                output,
                scratch[worker]);
      } else {
        several(weights, address, count, output, outputs, scratch[worker]);
      }
    }
  }

  private void several(
      VectorWeights weights, long address, int count, long output, int outputs, Scratch scratch) {
    int columns = input.columns();
    long row = scratch.floats(columns);
    for (int o = 0; o < count; o++) {
      weights.format().decode(address + o * weights.rowBytes(), columns, row, scratch);
      long x = input.address();
      long y = output + 4L * o;
      int i = 0;
      for (; i <= rows - 4; i += 4) {
        Dot.four(
            row, x + 4L * i * columns, 4L * columns, columns, y + 4L * i * outputs, 4L * outputs);
      }
      for (; i < rows; i++) {
        f32(y + 4L * i * outputs, Dot.one(row, x + 4L * i * columns, columns));
      }
    }
  }

  // --- many rows

  private long tiles;
  private int blockFirst;
  private int blockRows;

  private void tiled() {
    int columns = input.columns();
    int chunks = 0;
    for (int p = 0; p < projections.length; p++) {
      firstChunk[p] = chunks;
      chunks += Math.ceilDiv(weights(projections[p]).outputs(), PANEL_OUTPUTS);
    }
    firstChunk[projections.length] = chunks;
    for (blockFirst = 0; blockFirst < rows; blockFirst += BLOCK_ROWS) {
      blockRows = Math.min(BLOCK_ROWS, rows - blockFirst);
      int tileCount = Math.ceilDiv(blockRows, Tile.WIDTH);
      tiles = shared.floats((long) tileCount * Tile.WIDTH * columns);
      workers.run(tileCount, pack);
      workers.run(chunks, panels);
    }
  }

  /** Transposes activation rows into a tile [column][row within tile]. */
  private final class PackTask implements Workers.Task {
    @Override
    public void run(int chunk, int worker) {
      int columns = input.columns();
      int first = chunk * Tile.WIDTH;
      int count = Math.min(Tile.WIDTH, blockRows - first);
      long tile = tiles + 4L * first * columns;
      long x = input.address() + 4L * (blockFirst + first) * columns;
      for (int row = 0; row < count; row++) {
        transpose(x + 4L * row * columns, columns, tile + 4L * row);
      }
      // The rows that fill the last tile are not used, but they must not be slow denormals or NaN.
      for (int row = count; row < Tile.WIDTH; row++) {
        for (int column = 0; column < columns; column++) {
          f32(tile + 4L * ((long) column * Tile.WIDTH + row), 0);
        }
      }
    }
  }

  private static void transpose(long x, int columns, long target) {
    for (int column = 0; column < columns; column++) {
      f32(target + 4L * Tile.WIDTH * column, f32(x + 4L * column));
    }
  }

  private final class PanelTask implements Workers.Task {
    @Override
    public void run(int chunk, int worker) {
      int p = 0;
      while (chunk >= firstChunk[p + 1]) {
        p++;
      }
      VectorWeights weights = weights(projections[p]);
      int first = (chunk - firstChunk[p]) * PANEL_OUTPUTS;
      int count = Math.min(PANEL_OUTPUTS, weights.outputs() - first);
      multiplyPanel(weights, first, count, projections[p].output(), scratch[worker]);
    }
  }

  private void multiplyPanel(
      VectorWeights weights, int first, int count, FloatMatrix output, Scratch scratch) {
    int columns = input.columns();
    int tileCount = Math.ceilDiv(blockRows, Tile.WIDTH);
    long panel = scratch.floats(PANEL_OUTPUTS * (PANEL_COLUMNS + (long) BLOCK_ROWS));
    long products = panel + 4L * PANEL_OUTPUTS * PANEL_COLUMNS;
    for (int column = 0; column < columns; column += PANEL_COLUMNS) {
      int k = Math.min(PANEL_COLUMNS, columns - column);
      long source =
          weights.address() + first * weights.rowBytes() + weights.tensor().type().rowBytes(column);
      for (int o = 0; o < count; o++) {
        weights
            .format()
            .decode(source + o * weights.rowBytes(), k, panel + 4L * o * PANEL_COLUMNS, scratch);
      }
      for (int t = 0; t < tileCount; t++) {
        Tile.multiply(
            count,
            panel,
            4L * PANEL_COLUMNS,
            tiles + Tile.STRIDE * ((long) t * columns + column),
            k,
            products + 4L * Tile.WIDTH * t,
            4L * BLOCK_ROWS,
            column > 0);
      }
    }
    int outputs = output.columns();
    for (int row = 0; row < blockRows; row++) {
      long y = output.address() + 4L * ((long) (blockFirst + row) * outputs + first);
      gather(products + 4L * row, count, y);
    }
  }

  private static void gather(long source, int count, long target) {
    for (int o = 0; o < count; o++) {
      f32(target + 4L * o, f32(source + 4L * BLOCK_ROWS * o));
    }
  }
}
