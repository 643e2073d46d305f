package org.llamaj.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.PageTable;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.cuda.driver.Context;

/**
 * What attention kernels know of a batch: of each row the keys it sees, of each sequence its pages.
 * Made once per forward pass for all layers whose pages come from the same pool, which are those
 * with the same attention chunk, and copied to the same place on the device each time.
 *
 * <pre>
 * rows  [rows]  { first key, last key, page table, 0 }   (page table: shifted by the first page)
 * tiles [tiles] { first row, rows }
 * pages [pages] addresses, of the layer the table was made for
 * </pre>
 */
final class SpanTables implements AutoCloseable {
  /** Queries that a block of threads takes on its way through the cache. */
  static final int QUERIES = 8;

  /** The same where there are many, and the tensor cores multiply. */
  static final int PROMPT_QUERIES = 64;

  /** So many rows of each sequence, on average, are a prompt. */
  private static final int LEAST_PROMPT_ROWS = 16;

  private static final int ROW_BYTES = 16;
  private static final int TILE_BYTES = 8;

  /** Kinds of layers at a time: full, in chunks, and those that see an encoder's states. */
  private static final int TABLES = 3;

  /** One table. */
  static final class Table {
    private Span first;
    private Span last;
    private int spanCount;
    private int chunk;
    private int group;
    private int layer;
    private int page; // any one of the first span

    private MemorySegment host = MemorySegment.NULL;
    private long device;
    private int rows;
    private int tiles;
    private int mostPages; // of a tile
    private int rowsOfSpans;
    private boolean prompt;
    private long lastUse;

    long rowsAddress() {
      return device;
    }

    long tilesAddress() {
      return device + (long) ROW_BYTES * rows;
    }

    long pagesAddress() {
      return align(tilesAddress() + (long) TILE_BYTES * tiles);
    }

    /** Rows from the first of the batch to the last that belongs to a span. */
    int rows() {
      return rows;
    }

    /** Rows that belong to a span; fewer where some see nothing. */
    int rowsOfSpans() {
      return rowsOfSpans;
    }

    /** Whether tiles are of {@link #PROMPT_QUERIES}, and not of {@link #QUERIES}. */
    boolean isPrompt() {
      return prompt;
    }

    int tiles() {
      return tiles;
    }

    int mostPages() {
      return mostPages;
    }

    /** How far a layer's part of a page is from that of the layer the table was made for. */
    long layerOffset(AttentionShape shape) {
      PageTable pages = first.pages();
      return pages.address(shape.layer(), page) - pages.address(layer, page);
    }
  }

  private final Context context;
  private final Activations activations;
  private final Arena arena = Arena.ofShared();
  private final Table[] tables = new Table[TABLES];
  private long uses;

  SpanTables(Context context, Activations activations) {
    this.context = context;
    this.activations = activations;
    for (int i = 0; i < TABLES; i++) {
      tables[i] = new Table();
    }
  }

  /** The table of these spans, on the device. */
  Table of(Span[] spans, int spanCount, AttentionShape shape) {
    Table oldest = tables[0];
    Table likewise = null; // of an earlier pass: steps that use the same memory are the same graph
    for (Table table : tables) {
      boolean sameKind = table.chunk == shape.chunk() && table.group == shape.group();
      if (sameKind
          && table.first == spans[0]
          && table.last == spans[spanCount - 1]
          && table.spanCount == spanCount) {
        table.lastUse = ++uses;
        return table;
      }
      if (sameKind && table.first == null) {
        likewise = table;
      }
      if (table.lastUse < oldest.lastUse) {
        oldest = table;
      }
    }
    oldest = likewise == null ? oldest : likewise;
    fill(oldest, spans, spanCount, shape);
    oldest.lastUse = ++uses;
    return oldest;
  }

  /** Forgets the spans of a forward pass. */
  void clear() {
    for (Table table : tables) {
      table.first = null;
      table.last = null;
    }
  }

  private void fill(Table table, Span[] spans, int spanCount, AttentionShape shape) {
    table.first = spans[0];
    table.last = spans[spanCount - 1];
    table.spanCount = spanCount;
    table.chunk = shape.chunk();
    table.group = shape.group();
    table.layer = shape.layer();
    table.page = firstPage(spans[0], shape);
    table.rows = 0;
    table.tiles = 0;
    table.rowsOfSpans = 0;
    table.mostPages = 0;
    int rows = 0;
    for (int i = 0; i < spanCount; i++) {
      rows += spans[i].rows();
    }
    table.prompt = rows >= LEAST_PROMPT_ROWS * spanCount && CudaAttention.supportsPrompts(shape);
    int perTile = Math.max(1, (table.prompt ? PROMPT_QUERIES : QUERIES) / shape.group());
    int pages = 0;
    for (int i = 0; i < spanCount; i++) {
      Span span = spans[i];
      table.rows = Math.max(table.rows, span.firstRow() + span.rows());
      table.rowsOfSpans += span.rows();
      table.tiles += Math.ceilDiv(span.rows(), perTile);
      pages += lastPage(span) + 1 - firstPage(span, shape);
    }
    long bytes =
        align((long) ROW_BYTES * table.rows + (long) TILE_BYTES * table.tiles)
            + (long) Long.BYTES * pages;
    reserve(table, bytes);
    write(table, spans, spanCount, shape, perTile);
    activations.upload(table.host.asSlice(0, bytes), table.device);
  }

  private void write(Table table, Span[] spans, int spanCount, AttentionShape shape, int perTile) {
    MemorySegment host = table.host;
    long tile = (long) ROW_BYTES * table.rows;
    long pageTable = align(tile + (long) TILE_BYTES * table.tiles);
    for (int row = 0; row < table.rows; row++) {
      host.set(JAVA_INT, (long) ROW_BYTES * row + 4, -1); // sees nothing
    }
    int pages = 0;
    for (int i = 0; i < spanCount; i++) {
      Span span = spans[i];
      int firstPage = firstPage(span, shape);
      int lastPage = lastPage(span);
      for (int row = 0; row < span.rows(); row++) {
        long at = (long) ROW_BYTES * (span.firstRow() + row);
        int lastKey = span.lastKey(row);
        host.set(JAVA_INT, at, shape.firstKey(lastKey));
        host.set(JAVA_INT, at + 4, lastKey);
        host.set(JAVA_INT, at + 8, pages - firstPage);
        host.set(JAVA_INT, at + 12, 0);
      }
      for (int row = 0; row < span.rows(); row += perTile) {
        int count = Math.min(perTile, span.rows() - row);
        host.set(JAVA_INT, tile, span.firstRow() + row);
        host.set(JAVA_INT, tile + 4, count);
        tile += TILE_BYTES;
        int from = shape.firstKey(span.lastKey(row)) / PAGE_TOKENS;
        int to = span.lastKey(row + count - 1) / PAGE_TOKENS;
        table.mostPages = Math.max(table.mostPages, to + 1 - from);
      }
      for (int page = firstPage; page <= lastPage; page++) {
        host.set(
            JAVA_LONG,
            pageTable + (long) Long.BYTES * pages,
            span.pages().address(shape.layer(), page));
        pages++;
      }
    }
  }

  private void reserve(Table table, long bytes) {
    if (table.host.byteSize() >= bytes) {
      return;
    }
    long size = Math.max(1 << 14, Long.highestOneBit(bytes) << 1);
    if (table.device != 0) {
      activations.finishAll();
      context.free(table.device);
    }
    table.device = context.allocate(size);
    table.host = arena.allocate(size, Long.BYTES);
  }

  private static int firstPage(Span span, AttentionShape shape) {
    return shape.firstKey(span.lastKey(0)) / PAGE_TOKENS;
  }

  private static int lastPage(Span span) {
    return span.lastKey(span.rows() - 1) / PAGE_TOKENS;
  }

  private static long align(long bytes) {
    return (bytes + Long.BYTES - 1) & -Long.BYTES;
  }

  @Override
  public void close() {
    arena.close();
  }
}
