package org.llamaj.kernel.cuda;

import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;

import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.CacheType;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.tensor.FloatMatrix;

/** Attention over pages on the device. */
final class CudaAttention implements AutoCloseable {
  /** What {@code attention.cu} is made for. */
  private static final int THREADS = 128;

  private static final int MOST_COMPONENTS = 512; // of a head
  private static final int MOST_PROMPT_COMPONENTS = 128;

  /** Splits of the keys are for the few rows of decode steps. */
  private static final int MOST_SPLIT_ROWS = 16;

  private static final int MOST_SPLITS = 64;

  private final Context context;
  private final Launches launches;
  private final Activations activations;
  private final SpanTables tables;
  private final long[] store = new long[CacheType.values().length];
  private final long[] attention = new long[CacheType.values().length];
  private final long[] prompt = new long[CacheType.values().length];
  private final long combine;
  private long partial;
  private long partialBytes;

  CudaAttention(Context context, Launches launches, Activations activations, Modules modules) {
    this.context = context;
    this.launches = launches;
    this.activations = activations;
    tables = new SpanTables(context, activations);
    for (CacheType type : CacheType.values()) {
      store[type.ordinal()] = modules.function(KernelUnit.ACTIVATIONS, "store_" + type);
      attention[type.ordinal()] = modules.function(KernelUnit.ACTIVATIONS, "attention_" + type);
      if (type != CacheType.F32) {
        prompt[type.ordinal()] =
            modules.function(KernelUnit.ACTIVATIONS, "prompt_attention_" + type);
      }
    }
    combine = modules.function(KernelUnit.ACTIVATIONS, "combine");
  }

  /** Whether heads are not larger than any model has them. */
  static boolean supports(AttentionShape shape) {
    return shape.headDim() <= MOST_COMPONENTS;
  }

  /** Whether the tensor cores can do it. They round to half precision: float32 is left alone. */
  static boolean supportsPrompts(AttentionShape shape) {
    return shape.cacheType() != CacheType.F32
        && shape.headDim() % 16 == 0
        && shape.headDim() <= MOST_PROMPT_COMPONENTS;
  }

  void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    SpanTables.Table table = tables.of(spans, spanCount, shape);
    long k = activations.reading(keys, table.rows());
    long v = activations.reading(values, table.rows());
    launches
        .add(store[shape.cacheType().ordinal()], table.rows(), shape.kvHeads(), 1, THREADS, 0)
        .with(k)
        .with(v)
        .with(table.rowsAddress())
        .with(table.pagesAddress())
        .with(table.layerOffset(shape))
        .with(shape.kvHeads())
        .with(shape.headDim());
    activations.finish();
  }

  void attend(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    SpanTables.Table table = tables.of(spans, spanCount, shape);
    if (table.isPrompt()) {
      attendPrompt(queries, table, shape, output);
    } else {
      attendFew(queries, table, shape, output);
    }
    activations.finish();
  }

  private void attendPrompt(
      FloatMatrix queries, SpanTables.Table table, AttentionShape shape, FloatMatrix output) {
    int dim = shape.headDim();
    int keyWords = dim / 2 * (PAGE_TOKENS + 8);
    int valueWords = PAGE_TOKENS / 2 * (Math.ceilDiv(dim, 32) * 32 + 8);
    launches
        .add(
            prompt[shape.cacheType().ordinal()],
            table.tiles(),
            shape.kvHeads(),
            Math.ceilDiv(shape.group(), SpanTables.PROMPT_QUERIES),
            THREADS,
            (keyWords + valueWords) * Integer.BYTES)
        .with(activations.reading(queries, table.rows()))
        .with(table.rowsAddress())
        .with(table.tilesAddress())
        .with(table.pagesAddress())
        .with(table.layerOffset(shape))
        .with(activations.writing(output, table.rows()))
        .with(shape.heads())
        .with(shape.kvHeads())
        .with(dim)
        .with(shape.scale());
  }

  private void attendFew(
      FloatMatrix queries, SpanTables.Table table, AttentionShape shape, FloatMatrix output) {
    int chunks = Math.ceilDiv(shape.group(), SpanTables.QUERIES);
    int splits = splits(table, shape, chunks);
    if (splits > 1) {
      reservePartial((long) table.rows() * shape.heads() * splits * (shape.headDim() + 2));
    }
    long q = activations.reading(queries, table.rows());
    long y = activations.writing(output, table.rows());
    int sharedFloats =
        SpanTables.QUERIES * shape.headDim()
            + 3 * SpanTables.QUERIES * PAGE_TOKENS
            + SpanTables.QUERIES;
    launches
        .add(
            attention[shape.cacheType().ordinal()],
            table.tiles(),
            shape.kvHeads(),
            splits * chunks,
            THREADS,
            sharedFloats * Float.BYTES)
        .with(q)
        .with(table.rowsAddress())
        .with(table.tilesAddress())
        .with(table.pagesAddress())
        .with(table.layerOffset(shape))
        .with(y)
        .with(splits > 1 ? partial : 0L)
        .with(shape.heads())
        .with(shape.kvHeads())
        .with(shape.headDim())
        .with(shape.scale())
        .with(splits)
        .with(chunks);
    if (splits > 1) {
      launches
          .add(combine, table.rows() * shape.heads(), 1, 1, THREADS, 0)
          .with(partial)
          .with(y)
          .with(shape.headDim())
          .with(splits);
    }
  }

  /** As many as keep all multiprocessors busy; a power of two, so that steps are alike for long. */
  private int splits(SpanTables.Table table, AttentionShape shape, int chunks) {
    if (table.rows() > MOST_SPLIT_ROWS || table.rows() != table.rowsOfSpans()) {
      return 1;
    }
    int blocks = table.tiles() * shape.kvHeads() * chunks;
    int wanted = Math.ceilDiv(2 * context.device().multiprocessors(), blocks);
    int most = Math.min(MOST_SPLITS, Integer.highestOneBit(table.mostPages()));
    return Math.min(most, Integer.highestOneBit(2 * wanted - 1));
  }

  private void reservePartial(long floats) {
    long bytes = floats * Float.BYTES;
    if (bytes > partialBytes) {
      if (partial != 0) {
        activations.finishAll();
        context.free(partial);
      }
      partialBytes = Math.max(1 << 20, 2 * bytes);
      partial = context.allocate(partialBytes);
    }
  }

  /** Forgets the spans of a forward pass. */
  void endPass() {
    tables.clear();
  }

  @Override
  public void close() {
    tables.close();
  }
}
