package org.llamaj.kernel.vector;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;
import static org.llamaj.kernel.vector.Lanes.f32;

import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.QuantizedPage;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/**
 * Attention page by page with a running softmax (Dao et al. 2022): a chunk of work is a block of
 * rows and one key/value head, whose page is read once for all query heads that share it. A query
 * vector here is one head of one row; scores and weighted sums are products of {@link Tile}s.
 */
final class VectorAttention implements Workers.Task {
  /** Query vectors in a block, if the span has enough rows. */
  private static final int BLOCK_QUERIES = 64;

  private final Workers workers;
  private final Scratch[] scratch;

  /** One for each worker, used again and again. */
  private final Block[] blocks;

  private FloatMatrix queries;
  private Span[] spans;
  private AttentionShape shape;

  /** Of a quantised cache, or null. */
  private QuantizedPage layout;

  private FloatMatrix output;

  private int blockRows;

  /** Head size, filled up to whole tiles. */
  private int paddedDim;

  VectorAttention(Workers workers, Scratch[] scratch) {
    this.workers = workers;
    this.scratch = scratch;
    this.blocks = new Block[scratch.length];
    Arrays.setAll(blocks, worker -> new Block(scratch[worker]));
  }

  void attend(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    this.queries = queries;
    this.spans = spans;
    layout = QuantizedPage.of(shape, layout);
    this.shape = shape;
    this.output = output;
    blockRows = Math.max(1, BLOCK_QUERIES / shape.group());
    paddedDim = Math.ceilDiv(shape.headDim(), Tile.WIDTH) * Tile.WIDTH;
    int count = 0;
    for (int s = 0; s < spanCount; s++) {
      count += blocks(spans[s]);
    }
    workers.run(count * shape.kvHeads(), this);
    this.spans = null;
  }

  private int blocks(Span span) {
    return Math.ceilDiv(span.rows(), blockRows);
  }

  @Override
  public void run(int chunk, int worker) {
    int kvHead = chunk % shape.kvHeads();
    int block = chunk / shape.kvHeads();
    int s = 0;
    while (block >= blocks(spans[s])) {
      block -= blocks(spans[s]);
      s++;
    }
    // The last rows see the most keys: they come first, so that no worker ends with a long chunk.
    block = blocks(spans[s]) - 1 - block;
    int first = block * blockRows;
    int rows = Math.min(blockRows, spans[s].rows() - first);
    blocks[worker].attend(spans[s], first, rows, kvHead);
  }

  /** Some rows of a span with the query heads of one key/value head. */
  private final class Block {
    private final Scratch scratch;

    private Span span;
    private int firstRow;
    private int first;
    private int rows;
    private int kvHead;
    private int vectors;

    private long q;
    private long scores;
    private long sums;
    private long maxima;
    private long totals;
    private long packed;

    Block(Scratch scratch) {
      this.scratch = scratch;
    }

    void attend(Span span, int first, int rows, int kvHead) {
      this.span = span;
      this.firstRow = span.firstRow() + first;
      this.first = first;
      this.rows = rows;
      this.kvHead = kvHead;
      this.vectors = rows * shape.group();
      layOut();
      loadQueries();
      int lastPosition = span.lastKey(first + rows - 1);
      int firstPage = shape.firstKey(span.lastKey(first)) / PAGE_TOKENS;
      for (int page = firstPage; page <= lastPosition / PAGE_TOKENS; page++) {
        int used = Math.min(PAGE_TOKENS, lastPosition + 1 - page * PAGE_TOKENS);
        long address = span.pages().address(shape.layer(), page);
        scores(address);
        for (int v = 0; v < vectors; v++) {
          weigh(v, page * PAGE_TOKENS);
        }
        addValues(address, used);
      }
      storeSums();
      this.span = null;
    }

    private void layOut() {
      int dim = shape.headDim();
      long floats =
          (long) vectors * (PAGE_TOKENS + dim + paddedDim + 2)
              + (long) Math.max(dim, PAGE_TOKENS) * Tile.WIDTH;
      packed = scratch.floats(floats);
      scores = packed + Tile.STRIDE * Math.max(dim, PAGE_TOKENS);
      sums = scores + 4L * vectors * PAGE_TOKENS;
      q = sums + 4L * vectors * paddedDim;
      maxima = q + 4L * vectors * dim;
      totals = maxima + 4L * vectors;
    }

    /** Row of the block and head of the group: vector = row * group + head. */
    private long headOffset(int vector) {
      int group = shape.group();
      long row = firstRow + vector / group;
      long head = (long) kvHead * group + vector % group;
      return 4L * (row * shape.heads() + head) * shape.headDim();
    }

    private void loadQueries() {
      for (int v = 0; v < vectors; v++) {
        long source = queries.address() + headOffset(v);
        RowOperations.scale(source, shape.headDim(), shape.scale(), q + 4L * v * shape.headDim());
        f32(maxima + 4L * v, Float.NEGATIVE_INFINITY);
        f32(totals + 4L * v, 0);
        RowOperations.zero(sums + 4L * v * paddedDim, paddedDim);
      }
    }

    /** Scores with all tokens of a page, in tiles of neighbouring tokens. */
    private void scores(long page) {
      int dim = shape.headDim();
      for (int t = 0; t < PAGE_TOKENS; t += Tile.WIDTH) {
        packKeys(page, t);
        Tile.multiply(vectors, q, 4L * dim, packed, dim, scores + 4L * t, 4L * PAGE_TOKENS, false);
      }
    }

    /** Adds the weighted values of a page, in tiles of neighbouring components. */
    private void addValues(long page, int tokens) {
      int dim = shape.headDim();
      for (int d = 0; d < dim; d += Tile.WIDTH) {
        packValues(page, d, tokens);
        Tile.multiply(
            vectors, scores, 4L * PAGE_TOKENS, packed, tokens, sums + 4L * d, 4L * paddedDim, true);
      }
    }

    /** Copies the keys of neighbouring tokens, as floats, to the form of a {@link Tile}'s B. */
    private void packKeys(long page, int slot) {
      int dim = shape.headDim();
      if (layout != null) {
        QuantizedCacheReader.packKeys(page, layout, kvHead, slot, dim, nibbles(), packed);
        return;
      }
      pack(page + shape.keyOffset(kvHead, 0, slot), PAGE_TOKENS, dim, Tile.WIDTH);
    }

    /** The same for neighbouring components of the first tokens' values. */
    private void packValues(long page, int d, int tokens) {
      if (layout != null) {
        QuantizedCacheReader.packValues(page, layout, kvHead, d, tokens, nibbles(), packed);
        return;
      }
      int dim = shape.headDim();
      long values = page + shape.valueOffset(kvHead, 0) + (long) d * shape.cacheType().bytes();
      pack(values, dim, tokens, Math.min(Tile.WIDTH, dim - d));
    }

    private boolean nibbles() {
      return shape.cacheType() == CacheType.Q4_0;
    }

    private void pack(long source, int sourceColumns, int rows, int columns) {
      if (shape.cacheType() == CacheType.F16) {
        CacheReader.packHalves(source, 2L * sourceColumns, rows, columns, packed);
      } else {
        CacheReader.packFloats(source, 4L * sourceColumns, rows, columns, packed);
      }
    }

    /** Turns a vector's scores into weights relative to the greatest score so far. */
    private void weigh(int v, int firstToken) {
      long weights = scores + 4L * PAGE_TOKENS * v;
      int position = span.lastKey(first + v / shape.group());
      int from = Math.max(0, shape.firstKey(position) - firstToken);
      int to = Math.min(PAGE_TOKENS, position + 1 - firstToken);
      if (from >= to) {
        RowOperations.zero(weights, PAGE_TOKENS);
        return;
      }
      if (from > 0 || to < PAGE_TOKENS) {
        Softmax.mask(weights, from, to);
      }
      float oldMax = f32(maxima + 4L * v);
      float max = Math.max(oldMax, Softmax.max(weights));
      float sum = Softmax.exponentials(weights, max);
      if (from > 0 || to < PAGE_TOKENS) {
        Softmax.clear(weights, from, to);
      }
      float factor = (float) Math.exp(oldMax - max);
      f32(maxima + 4L * v, max);
      f32(totals + 4L * v, f32(totals + 4L * v) * factor + sum);
      if (factor != 1) {
        long row = sums + 4L * v * paddedDim;
        RowOperations.scale(row, paddedDim, factor, row);
      }
    }

    private void storeSums() {
      for (int v = 0; v < vectors; v++) {
        RowOperations.scale(
            sums + 4L * v * paddedDim,
            shape.headDim(),
            1 / f32(totals + 4L * v),
            output.address() + headOffset(v));
      }
    }
  }
}
