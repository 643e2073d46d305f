package org.llamaj.kernel.x86;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/**
 * Attention over the paged cache. A chunk of work is a few queries (neighbouring rows, and all
 * heads of a group) with the pages of their key/value head.
 */
final class Attention implements AutoCloseable {
  private final Workers workers;
  private final boolean avx512;
  private final CodeCache cache;
  private final Arena arena = Arena.ofShared();
  private final AttentionArguments[] arguments;
  private final Scratch pageAddresses = new Scratch();
  private final Workers.Task task = this::attend;
  private final MachineCode[] code = new MachineCode[AttentionArguments.MOST_QUERIES + 1];

  /** What {@link #code} was made for, its layer aside. */
  private AttentionShape codeShape;

  private AttentionShape shape;
  private Span[] spans;
  private long queryAddress;
  private long outputAddress;

  /** First chunk and first page address of each span. */
  private int[] firstChunk = {};

  private int[] firstPage = {};

  private record Key(AttentionShape shape, int queries) {}

  Attention(Workers workers, boolean avx512, CodeCache cache) {
    this.workers = workers;
    this.avx512 = avx512;
    this.cache = cache;
    arguments = new AttentionArguments[workers.threads()];
    Arrays.setAll(arguments, worker -> new AttentionArguments(arena));
  }

  void attend(
      FloatMatrix queries,
      Span[] allSpans,
      int spanCount,
      AttentionShape attentionShape,
      FloatMatrix output) {
    shape = attentionShape;
    spans = allSpans;
    queryAddress = queries.address();
    outputAddress = output.address();
    chooseCode();
    if (firstChunk.length <= spanCount) {
      firstChunk = new int[2 * spanCount + 1];
      firstPage = new int[2 * spanCount + 1];
    }
    for (int i = 0; i < spanCount; i++) {
      Span span = spans[i];
      firstChunk[i + 1] = firstChunk[i] + tiles(span) * shape.kvHeads();
      firstPage[i + 1] = firstPage[i] + pages(span);
    }
    pageAddresses.address(8L * firstPage[spanCount]);
    MemorySegment addresses = pageAddresses.memory();
    for (int i = 0; i < spanCount; i++) {
      Span span = spans[i];
      int first = shape.firstKey(span.firstPosition()) / AttentionShape.PAGE_TOKENS;
      for (int page = first; page < pages(span); page++) {
        addresses.setAtIndex(
            ValueLayout.JAVA_LONG, firstPage[i] + page, span.pages().address(shape.layer(), page));
      }
      prepareCode(span);
    }
    workers.run(firstChunk[spanCount], task);
    spans = null;
  }

  private void prepareCode(Span span) {
    int queries = span.rows() * shape.group();
    int tiles = tiles(span);
    prepareCode(queries / tiles);
    prepareCode(Math.ceilDiv(queries, tiles));
  }

  private void prepareCode(int queries) {
    if (code[queries] == null) {
      AttentionShape made = codeShape;
      code[queries] =
          cache.get(new Key(made, queries), () -> AttentionCode.assemble(made, queries, avx512));
    }
  }

  /** Layers differ in their pages, and in shape only where some are chunked. */
  private void chooseCode() {
    if (codeShape == null || !sameButLayer(codeShape, shape)) {
      Arrays.fill(code, null);
      codeShape =
          new AttentionShape(
              0,
              shape.heads(),
              shape.kvHeads(),
              shape.headDim(),
              shape.scale(),
              shape.chunk(),
              shape.cacheType());
    }
  }

  private static boolean sameButLayer(AttentionShape a, AttentionShape b) {
    return a.heads() == b.heads()
        && a.kvHeads() == b.kvHeads()
        && a.headDim() == b.headDim()
        && a.scale() == b.scale()
        && a.chunk() == b.chunk()
        && a.cacheType() == b.cacheType();
  }

  private int tiles(Span span) {
    return Math.ceilDiv(span.rows() * shape.group(), AttentionArguments.MOST_QUERIES);
  }

  private static int pages(Span span) {
    return Math.ceilDiv(span.firstPosition() + span.rows(), AttentionShape.PAGE_TOKENS);
  }

  private void attend(int chunk, int worker) {
    int index = 0;
    while (chunk >= firstChunk[index + 1]) {
      index++;
    }
    Span span = spans[index];
    int tiles = tiles(span);
    int kvHead = (chunk - firstChunk[index]) / tiles;
    int tile = (chunk - firstChunk[index]) % tiles;
    int queries = span.rows() * shape.group();
    int first = firstQuery(tile, tiles, queries);
    int count = firstQuery(tile + 1, tiles, queries) - first;
    int firstPosition = span.firstPosition() + first / shape.group();
    int lastPosition = span.firstPosition() + (first + count - 1) / shape.group();
    int page = shape.firstKey(firstPosition) / AttentionShape.PAGE_TOKENS;
    int lastPage = lastPosition / AttentionShape.PAGE_TOKENS;
    int origin = page * AttentionShape.PAGE_TOKENS;

    AttentionArguments to = arguments[worker];
    to.pages(
        pageAddresses.memory().address() + 8L * (firstPage[index] + page), lastPage + 1 - page);
    to.head(shape.keyOffset(kvHead, 0, 0), shape.valueOffset(kvHead, 0));
    to.lastSlots(lastPosition % AttentionShape.PAGE_TOKENS + 1);
    for (int i = 0; i < count; i++) {
      int row = (first + i) / shape.group();
      int head = kvHead * shape.group() + (first + i) % shape.group();
      int position = span.firstPosition() + row;
      long place = 4L * ((long) (span.firstRow() + row) * shape.heads() + head) * shape.headDim();
      to.query(
          i,
          queryAddress + place,
          outputAddress + place,
          shape.firstKey(position) - origin,
          position + 1 - origin);
    }
    code[count].call(to.address(), 0, 0, 0, 0, 0);
  }

  private static int firstQuery(int tile, int tiles, int queries) {
    return tile * (queries / tiles) + Math.min(tile, queries % tiles);
  }

  @Override
  public void close() {
    pageAddresses.close();
    arena.close();
  }
}
