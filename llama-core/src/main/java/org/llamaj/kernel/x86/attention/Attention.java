package org.llamaj.kernel.x86.attention;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.Feature;
import org.llamaj.kernel.x86.machine.Level;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.Scratch;
import org.llamaj.tensor.FloatMatrix;

/**
 * Attention over the paged cache. A chunk of work is a tile of queries (neighbouring rows, and all
 * heads of a group) with the pages of their key/value head; where there are fewer of these than the
 * threads want, with a part of the pages. What one row asks is kept in registers ({@link
 * AttentionCode}), what many rows ask is not ({@link PromptAttentionCode}).
 */
public final class Attention implements AutoCloseable {
  /** So that threads finish together. */
  private static final int CHUNKS_PER_THREAD = 3;

  /** The same for rows of a prompt, whose chunks are longer. */
  private static final int PROMPT_CHUNKS_PER_THREAD = 2;

  /** Fewer queries are not worth reading all keys and values once more. */
  private static final int LEAST_QUERIES = 16;

  /** A smaller part of a context is not worth its overhead. */
  private static final int LEAST_PAGES = 4;

  private final Workers workers;
  private final Level level;
  private final CodeCache cache;
  private final Partials partials;
  private final Arena arena = Arena.ofShared();
  private final AttentionArguments[] arguments;
  private final PromptArguments[] promptArguments;
  private final Scratch pageAddresses = new Scratch();
  private final Workers.Task task = this::attend;
  private final MachineCode[] code = new MachineCode[AttentionArguments.MOST_QUERIES + 1];
  private MachineCode promptCode;

  /** What the code was made for, its layer aside. */
  private AttentionShape codeShape;

  private AttentionShape shape;
  private Span[] spans;
  private long queryAddress;
  private long outputAddress;

  /** First chunk and first page address of each span. */
  private int[] firstChunk = {};

  private int[] firstPage = {};

  /** In how many parts each span's context is, and its first slot in the partial results. */
  private int[] parts = {};

  private int[] firstSlot = {};

  private record Key(AttentionShape shape, int queries) {}

  /**
   * @param level what the processor has
   * @param cache of the functions; closed by its owner
   */
  public Attention(Workers workers, Level level, CodeCache cache) {
    this.workers = workers;
    this.level = level;
    this.cache = cache;
    partials = new Partials(cache);
    arguments = new AttentionArguments[workers.threads()];
    Arrays.setAll(arguments, worker -> new AttentionArguments(arena));
    promptArguments = new PromptArguments[workers.threads()];
    Arrays.setAll(promptArguments, worker -> new PromptArguments());
  }

  /**
   * The operation of {@link org.llamaj.kernel.Kernels#attention}, for a shape that {@link
   * AttentionCode#supports}.
   */
  public void attend(
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
    divide(spanCount);
    pageAddresses.address(8L * firstPage[spanCount]);
    partials.reset(firstSlot[spanCount], shape.headDim());
    for (int i = 0; i < spanCount; i++) {
      findPages(i);
      prepareCode(spans[i]);
    }
    workers.run(firstChunk[spanCount], task);
    for (int i = 0; i < spanCount; i++) {
      if (parts[i] > 1) {
        combine(i);
      }
    }
    spans = null;
  }

  /** Divides the work. */
  private void divide(int spanCount) {
    if (firstChunk.length <= spanCount) {
      firstChunk = new int[2 * spanCount + 1];
      firstPage = new int[2 * spanCount + 1];
      parts = new int[2 * spanCount + 1];
      firstSlot = new int[2 * spanCount + 1];
    }
    int whole = 0;
    for (int i = 0; i < spanCount; i++) {
      whole += tiles(spans[i]) * shape.kvHeads();
    }
    int threads = workers.threads();
    int wanted = threads == 1 ? 1 : Math.ceilDiv(CHUNKS_PER_THREAD * threads, whole);
    for (int i = 0; i < spanCount; i++) {
      Span span = spans[i];
      int pages = pages(span) - firstVisiblePage(span.lastKey(0));
      parts[i] = tiles(span) > 1 ? 1 : Math.clamp(pages / LEAST_PAGES, 1, wanted);
      int slots = parts[i] > 1 ? span.rows() * shape.heads() * parts[i] : 0;
      firstSlot[i + 1] = firstSlot[i] + slots;
      firstChunk[i + 1] = firstChunk[i] + tiles(span) * shape.kvHeads() * parts[i];
      firstPage[i + 1] = firstPage[i] + pages(span);
    }
  }

  private void findPages(int index) {
    Span span = spans[index];
    MemorySegment addresses = pageAddresses.memory();
    for (int page = firstVisiblePage(span.lastKey(0)); page < pages(span); page++) {
      addresses.setAtIndex(
          ValueLayout.JAVA_LONG,
          firstPage[index] + page,
          span.pages().address(shape.layer(), page));
    }
  }

  private int firstVisiblePage(int position) {
    return shape.firstKey(position) / AttentionShape.PAGE_TOKENS;
  }

  private void prepareCode(Span span) {
    AttentionShape made = codeShape;
    int queries = queries(span);
    if (isFew(queries)) {
      if (code[queries] == null) {
        code[queries] =
            cache.get(new Key(made, queries), () -> AttentionCode.assemble(made, queries, level));
      }
    } else if (promptCode == null) {
      promptCode =
          cache.get(
              new Key(made, 0),
              () -> PromptAttentionCode.assemble(made, level.has(Feature.AVX512)));
    }
  }

  private int queries(Span span) {
    return span.rows() * shape.group();
  }

  private static boolean isFew(int queries) {
    return queries <= AttentionArguments.MOST_QUERIES;
  }

  /** Layers differ in their pages, and in shape only where some are chunked. */
  private void chooseCode() {
    if (codeShape == null || !sameButLayer(codeShape, shape)) {
      Arrays.fill(code, null);
      promptCode = null;
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
    int queries = queries(span);
    if (isFew(queries)) {
      return 1;
    }
    int threads = workers.threads();
    int wanted = Math.ceilDiv(PROMPT_CHUNKS_PER_THREAD * threads, shape.kvHeads());
    int most = Math.ceilDiv(queries, LEAST_QUERIES);
    return Math.max(
        Math.ceilDiv(queries, PromptArguments.MOST_QUERIES),
        threads == 1 ? 1 : Math.min(wanted, most));
  }

  private static int pages(Span span) {
    return span.lastKey(span.rows() - 1) / AttentionShape.PAGE_TOKENS + 1;
  }

  private void attend(int chunk, int worker) {
    int index = 0;
    while (chunk >= firstChunk[index + 1]) {
      index++;
    }
    Span span = spans[index];
    int tiles = tiles(span);
    int part = (chunk - firstChunk[index]) % parts[index];
    int whole = (chunk - firstChunk[index]) / parts[index];
    int kvHead = whole / tiles;
    int tile = whole % tiles;
    int queries = span.rows() * shape.group();
    int first = firstQuery(tile, tiles, queries);
    int count = firstQuery(tile + 1, tiles, queries) - first;
    int firstPosition = span.lastKey(first / shape.group());
    int lastPosition = span.lastKey((first + count - 1) / shape.group());
    int visible = firstVisiblePage(firstPosition);
    int end = lastPosition / AttentionShape.PAGE_TOKENS + 1;
    int page = visible + (end - visible) * part / parts[index];
    int partEnd = visible + (end - visible) * (part + 1) / parts[index];
    int origin = page * AttentionShape.PAGE_TOKENS;
    int lastSlots =
        partEnd == end ? lastPosition % AttentionShape.PAGE_TOKENS + 1 : AttentionShape.PAGE_TOKENS;

    if (!isFew(queries)) {
      PromptArguments to = promptArguments[worker];
      to.begin(shape);
      boolean startSeen = shape.firstKey(lastPosition) <= origin;
      int full = startSeen ? (firstPosition + 1 - origin) / AttentionShape.PAGE_TOKENS : 0;
      to.pages(pageAddresses(index, page), partEnd - page, full, lastSlots);
      to.head(keys(kvHead), values(kvHead));
      for (int i = 0; i < count; i++) {
        int position = span.lastKey((first + i) / shape.group());
        int start = Math.max(0, shape.firstKey(position) - origin);
        long source = queryAddress + place(span, kvHead, first + i);
        to.query(source, target(index, kvHead, first + i, part), start, position + 1 - origin);
      }
      promptCode.call(to.address(), 0, 0, 0, 0, 0);
      for (int i = 0; i < count && parts[index] > 1; i++) {
        partials.set(slot(index, kvHead, first + i) + part, to.maximum(i), to.sum(i));
      }
      return;
    }
    AttentionArguments to = arguments[worker];
    to.pages(pageAddresses(index, page), partEnd - page);
    to.head(keys(kvHead), values(kvHead));
    to.lastSlots(lastSlots);
    for (int i = 0; i < count; i++) {
      int position = span.lastKey((first + i) / shape.group());
      int start = Math.max(0, shape.firstKey(position) - origin);
      long source = queryAddress + place(span, kvHead, first + i);
      to.query(i, source, target(index, kvHead, first + i, part), start, position + 1 - origin);
    }
    code[count].call(to.address(), 0, 0, 0, 0, 0);
    for (int i = 0; i < count && parts[index] > 1; i++) {
      partials.set(slot(index, kvHead, first + i) + part, to.maximum(i), to.sum(i));
    }
  }

  private long pageAddresses(int index, int page) {
    return pageAddresses.memory().address() + 8L * (firstPage[index] + page);
  }

  /** Where the result of a query goes. */
  private long target(int index, int kvHead, int query, int part) {
    return parts[index] == 1
        ? outputAddress + place(spans[index], kvHead, query)
        : partials.output(slot(index, kvHead, query) + part);
  }

  /** Where in a page a head's keys begin. */
  private long keys(int kvHead) {
    return kvHead * shape.pageBytes() / (2L * shape.kvHeads());
  }

  /** Where in a page a head's values begin. */
  private long values(int kvHead) {
    return keys(shape.kvHeads() + kvHead);
  }

  private void combine(int index) {
    Span span = spans[index];
    for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
      for (int query = 0; query < span.rows() * shape.group(); query++) {
        long target = outputAddress + place(span, kvHead, query);
        partials.combine(slot(index, kvHead, query), parts[index], target);
      }
    }
  }

  /** Where a query of a key/value head lies in the activations, in bytes. */
  private long place(Span span, int kvHead, int query) {
    int row = span.firstRow() + query / shape.group();
    int head = kvHead * shape.group() + query % shape.group();
    return 4L * ((long) row * shape.heads() + head) * shape.headDim();
  }

  /** The first of a query's partial results. */
  private int slot(int index, int kvHead, int query) {
    int queries = spans[index].rows() * shape.group();
    return firstSlot[index] + (kvHead * queries + query) * parts[index];
  }

  private static int firstQuery(int tile, int tiles, int queries) {
    return tile * (queries / tiles) + Math.min(tile, queries % tiles);
  }

  @Override
  public void close() {
    pageAddresses.close();
    partials.close();
    for (PromptArguments scratch : promptArguments) {
      scratch.close();
    }
    arena.close();
  }
}
