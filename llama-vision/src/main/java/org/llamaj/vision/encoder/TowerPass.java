package org.llamaj.vision.encoder;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.tensor.FloatMatrix;

/**
 * The rows on their way through a tower, and the memory its layers compute in. Rows are in groups
 * that attend among themselves; within a group the rows from some point on are hidden from one
 * another, though not from those before (padding).
 */
public final class TowerPass {

  /**
   * Rows that attend to one another.
   *
   * @param rows how many rows
   * @param padding how many of them, at the end, see only the rows before them
   */
  public record Group(int rows, int padding) {}

  private final Kernels kernels;
  private final AttentionShape shape;
  private final FloatMatrix angles;
  private final FloatMatrix residual;
  private final FloatMatrix normed;
  private final FloatMatrix queries;
  private final FloatMatrix keys;
  private final FloatMatrix values;
  private final FloatMatrix attended;
  private final FloatMatrix wide;
  private final Span[] stored;
  private final Span[] seen;

  /**
   * @param arena owns the memory; shared, since workers write to it
   * @param kernels the arithmetic
   * @param dim width of a row
   * @param heads attention heads, a divisor of {@code dim}
   * @param wideDim width of the feed-forward network
   * @param groups the rows
   * @param angles cosines and sines that queries and keys are rotated by, [rows, dim / heads], or
   *     null
   */
  public TowerPass(
      Arena arena,
      Kernels kernels,
      int dim,
      int heads,
      int wideDim,
      List<Group> groups,
      FloatMatrix angles) {
    this.kernels = kernels;
    this.angles = angles;
    int headDim = dim / heads;
    float scale = (float) (1 / Math.sqrt(headDim));
    shape = new AttentionShape(0, heads, heads, headDim, scale, 0, CacheType.F32);
    int rows = groups.stream().mapToInt(Group::rows).sum();
    residual = FloatMatrix.allocate(arena, rows, dim);
    normed = FloatMatrix.allocate(arena, rows, dim);
    queries = FloatMatrix.allocate(arena, rows, dim);
    keys = FloatMatrix.allocate(arena, rows, dim);
    values = FloatMatrix.allocate(arena, rows, dim);
    attended = FloatMatrix.allocate(arena, rows, dim);
    wide = FloatMatrix.allocate(arena, rows, wideDim);
    stored = new Span[groups.size()];
    List<Span> spans = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < stored.length; i++) {
      Group group = groups.get(i);
      PageTable pages = new Pages(arena, shape, group.rows());
      int real = group.rows() - group.padding();
      stored[i] = new Span(pages, first, group.rows(), 0);
      spans.add(Span.seeingAll(pages, first, real, group.rows()));
      if (group.padding() > 0) {
        spans.add(Span.seeingAll(pages, first + real, group.padding(), real));
      }
      first += group.rows();
    }
    seen = spans.toArray(Span[]::new);
  }

  /** Keys and values of one group, in pages as the kernels want them. */
  private static final class Pages implements PageTable {
    private final MemorySegment[] pages;

    Pages(Arena arena, AttentionShape shape, int rows) {
      pages = new MemorySegment[Math.ceilDiv(rows, AttentionShape.PAGE_TOKENS)];
      for (int i = 0; i < pages.length; i++) {
        pages[i] = arena.allocate(shape.pageBytes(), 64);
      }
    }

    @Override
    public MemorySegment segment(int layer, int page) {
      return pages[page];
    }

    @Override
    public long address(int layer, int page) {
      return pages[page].address();
    }
  }

  /** Full attention of {@link #queries} over {@link #keys} and {@link #values}. */
  void attend() {
    int rows = residual.rows();
    if (angles != null) {
      kernels.rotate(queries, rows, shape.headDim(), angles, RotaryPairs.INTERLEAVED);
      kernels.rotate(keys, rows, shape.headDim(), angles, RotaryPairs.INTERLEAVED);
    }
    kernels.store(keys, values, stored, stored.length, shape);
    kernels.attention(queries, seen, seen.length, shape, attended);
  }

  Kernels kernels() {
    return kernels;
  }

  /**
   * The rows.
   *
   * @return [rows, dim]
   */
  public FloatMatrix residual() {
    return residual;
  }

  /**
   * Memory for what goes into a half layer, free between layers.
   *
   * @return [rows, dim]
   */
  public FloatMatrix normed() {
    return normed;
  }

  FloatMatrix queries() {
    return queries;
  }

  FloatMatrix keys() {
    return keys;
  }

  FloatMatrix values() {
    return values;
  }

  FloatMatrix attended() {
    return attended;
  }

  FloatMatrix wide() {
    return wide;
  }
}
