package org.llamaj.kernel.x86.product;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Workers;
import org.llamaj.kernel.x86.gemv.LaneQuantizeCode;
import org.llamaj.kernel.x86.gemv.LaneRecord;
import org.llamaj.kernel.x86.gemv.QuantizeCode;
import org.llamaj.kernel.x86.gemv.QuantizedRow;
import org.llamaj.kernel.x86.gemv.WideGemvCode;
import org.llamaj.kernel.x86.machine.CodeCache;
import org.llamaj.kernel.x86.machine.MachineCode;
import org.llamaj.kernel.x86.machine.Scratch;
import org.llamaj.kernel.x86.machine.ShapedCode;
import org.llamaj.kernel.x86.panel.Layout;
import org.llamaj.kernel.x86.panel.PanelFormat;
import org.llamaj.kernel.x86.panel.SweepCode;
import org.llamaj.kernel.x86.panel.WholePanels;
import org.llamaj.tensor.FloatMatrix;

/**
 * Matrix products. Few rows of activations: each chunk is some weight rows, streamed once. Many:
 * activations are brought into tiles first; then each chunk is some weight rows, brought into
 * panels which meet all tiles.
 *
 * <p>The state of a call is in fields, so that nothing is allocated.
 */
public final class Projector implements AutoCloseable {
  /** With many rows: so many chunks for each thread at least, that all end together. */
  private static final int CHUNKS_PER_THREAD = 4;

  /**
   * Up to so many rows, reading weights takes as long as arithmetic, and workers take many small
   * chunks, the next before they begin with the one at hand: they ask for its weights meanwhile.
   */
  private static final int MOST_STREAMING_ROWS = 64;

  /** Weight rows that {@link SweepCode} takes at a time. */
  private static final int SWEEP_ROWS = SweepCode.MOST_PANELS * PanelFormat.ROWS;

  /** Most tiles whose products ask for weights ahead. */
  private static final int MOST_ASKING = 4;

  /** Panels that a worker makes at a time. */
  private static final int MOST_PANELS = 4;

  private final Workers workers;
  private final RowChunks chunks = new RowChunks();
  private final ShapedCode quantize;
  private final int recordBytes;
  private final Scratch quantized = new Scratch();
  private final Scratch[] panels;
  private final Workers.Task quantizeTask = this::quantizeRow;
  private final Workers.Task fewTask = this::multiplyFew;
  private final Workers.Task tileTask = this::makeTile;
  private final Workers.Task manyTask = this::multiplyMany;
  private final Workers.Task streamTask = this::multiplyStream;
  private final AtomicInteger nextChunk = new AtomicInteger();

  private int inputs;
  private int rows;
  private long inputAddress;

  /** Rows of activations that quantised weights meet together. */
  private int quantizedGroup;

  private Projection[] projections;

  /** The layout whose tiles are being made. */
  private TileProduct tileProduct;

  /**
   * @param wide whether a few rows meet quantised weights in {@link WideGemvCode}
   */
  public Projector(Workers workers, boolean wide, CodeCache cache) {
    this.workers = workers;
    recordBytes = wide ? LaneRecord.RECORD_BYTES : QuantizedRow.RECORD_BYTES;
    quantize =
        new ShapedCode(
            cache,
            (values, unused) ->
                wide ? LaneQuantizeCode.assemble(values) : QuantizeCode.assemble(values));
    panels = new Scratch[workers.threads()];
    Arrays.setAll(panels, worker -> new Scratch());
  }

  /**
   * The operation of {@link org.llamaj.kernel.Kernels#project}.
   *
   * @param all with weights that are {@link X86WeightMatrix} objects
   */
  public void project(FloatMatrix input, int rowCount, Projection[] all) {
    inputs = input.columns();
    rows = rowCount;
    inputAddress = input.address();
    projections = all;
    boolean few = true;
    for (int i = 0; i < all.length; i++) {
      few &= rows <= weight(i).code().mostTokens();
    }
    if (few) {
      projectFew();
    } else {
      projectMany();
    }
    projections = null;
  }

  private void projectFew() {
    quantizedGroup = 0;
    long bytes = 0;
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      WeightCode code = weight.code();
      if (code.quantizes()) {
        quantizedGroup = code.mostTokens();
      }
      code.gemv(Math.min(rows, code.mostTokens()));
      int rest = rows % code.mostTokens();
      if (rest > 0) {
        code.gemv(rest);
      }
      bytes += weight.outputs() * weight.rowBytes();
    }
    chunks.clear();
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      bytes -= weight.outputs() * weight.rowBytes();
      chunks.add(i, weight.outputs(), weight.rowBytes(), bytes, workers.threads(), 1);
    }
    if (quantizedGroup > 0) {
      quantize.get(inputs, 0);
      quantized.address(rows * quantizedBytes());
      workers.run(rows, quantizeTask);
    }
    workers.run(chunks.count(), fewTask);
  }

  private long quantizedBytes() {
    return (long) Math.ceilDiv(inputs, QuantizedRow.RECORD_VALUES) * recordBytes;
  }

  /** The records of the rows that are multiplied together alternate. */
  private void quantizeRow(int row, int worker) {
    int first = row / quantizedGroup * quantizedGroup;
    int group = Math.min(quantizedGroup, rows - first);
    long place = first * quantizedBytes() + (row - first) * (long) recordBytes;
    quantize
        .get(inputs, 0)
        .callShort(
            inputAddress + 4L * row * inputs,
            quantized.memory().address() + place,
            (long) group * recordBytes,
            0,
            0,
            0);
  }

  private void multiplyFew(int chunk, int worker) {
    int index = chunks.matrix(chunk);
    X86WeightMatrix weight = weight(index);
    WeightCode code = weight.code();
    FloatMatrix output = projections[index].output();
    int outputs = weight.outputs();
    int first = chunks.firstRow(chunk);
    int count = chunks.rows(chunk);
    long activations = code.quantizes() ? quantized.memory().address() : inputAddress;
    long stride = code.quantizes() ? quantizedBytes() : 4L * inputs;
    for (int row = 0; row < rows; ) {
      int tokens = Math.min(rows - row, code.mostTokens());
      code.gemv(tokens)
          .call(
              weight.row(first),
              activations + row * stride,
              output.address() + 4L * ((long) row * outputs + first),
              count,
              4L * outputs,
              0);
      row += tokens;
    }
  }

  private void projectMany() {
    for (int i = 0; i < projections.length; i++) {
      if (isFirstOfLayout(i)) {
        makeTiles(weight(i).code().tileProduct());
      }
    }
    long bytes = 0;
    for (int i = 0; i < projections.length; i++) {
      bytes += weight(i).outputs() * weight(i).rowBytes();
    }
    chunks.clear();
    boolean streams = rows <= MOST_STREAMING_ROWS;
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      weight.code().many();
      bytes -= weight.outputs() * weight.rowBytes();
      switch (weight.code().tileProduct().layout()) {
        case WholePanels layout -> {
          addChunks(i, weight.outputs(), layout);
          streams = false;
        }
        case PanelFormat _ when rows <= MOST_STREAMING_ROWS ->
            chunks.addEqual(i, weight.outputs(), SWEEP_ROWS);
        case PanelFormat _ ->
            chunks.add(
                i, weight.outputs(), weight.rowBytes(), bytes, workers.threads(), SWEEP_ROWS);
      }
    }
    if (streams) {
      nextChunk.set(0);
      workers.run(workers.threads(), streamTask);
    } else {
      workers.run(chunks.count(), manyTask);
    }
  }

  /** As many panels at a time as the cache holds, if there are enough for all threads. */
  private void addChunks(int index, int outputs, WholePanels layout) {
    long panelBytes = layout.panelBytes(inputs);
    int fairShare =
        Math.ceilDiv(outputs, CHUNKS_PER_THREAD * workers.threads() * layout.panelRows());
    int most = Math.min(MOST_PANELS, fairShare);
    int count = Math.clamp(layout.panelCacheBytes() / panelBytes, 1, most);
    for (Scratch panel : panels) {
      panel.address(count * panelBytes);
    }
    chunks.addEqual(index, outputs, count * layout.panelRows());
  }

  private boolean isFirstOfLayout(int index) {
    for (int i = 0; i < index; i++) {
      if (weight(i).code().tileProduct() == weight(index).code().tileProduct()) {
        return false;
      }
    }
    return true;
  }

  private void makeTiles(TileProduct product) {
    tileProduct = product;
    int tiles = tiles(product.layout());
    for (int tile = 0; tile < tiles; tile++) {
      int tokens = tokens(product.layout(), tile, tiles);
      product.tile(tokens);
      product.product(tokens, 0);
    }
    long stride = tileStride(product.layout(), tiles);
    product.tiles.address(tiles * stride);
    workers.run(tiles, tileTask);
    if (product.layout() instanceof PanelFormat) {
      writeTable(product, tiles, stride, Integer.highestOneBit(Math.min(tiles, MOST_ASKING)));
    }
    tileProduct = null;
  }

  private void writeTable(TileProduct product, int tiles, long stride, int asking) {
    int lines = 0;
    for (int i = 0; i < projections.length; i++) {
      if (weight(i).code().tileProduct() == product) {
        lines = Math.max(lines, weight(i).code().linesAhead(asking));
      }
    }
    long address = product.tiles.memory().address();
    product.table.begin(tiles, asking);
    for (int tile = 0; tile < tiles; tile++) {
      int tokens = tokens(product.layout(), tile, tiles);
      MachineCode code = product.product(tokens, tile < asking ? lines : 0);
      product.table.tile(tile, code, address + tile * stride, tokens);
    }
    product.table.end(workers.threads(), rows);
  }

  private void makeTile(int tile, int worker) {
    TileProduct product = tileProduct;
    Layout layout = product.layout();
    int tiles = tiles(layout);
    product
        .tile(tokens(layout, tile, tiles))
        .call(
            inputAddress + 4L * firstToken(layout, tile, tiles) * inputs,
            product.tiles.memory().address() + tile * tileStride(layout, tiles),
            4L * inputs,
            layout.steps(inputs),
            0,
            0);
  }

  /** Takes chunks until there are none left. */
  private void multiplyStream(int any, int worker) {
    int chunk = nextChunk.getAndIncrement();
    while (chunk < chunks.count()) {
      int next = nextChunk.getAndIncrement();
      sweep(chunk, next < chunks.count() ? address(next) : address(chunk), worker);
      chunk = next;
    }
  }

  /** Where a chunk's weights are. */
  private long address(int chunk) {
    return weight(chunks.matrix(chunk)).row(chunks.firstRow(chunk));
  }

  /**
   * Multiplies the weights of a chunk in {@link PanelFormat}.
   *
   * @param next address of the weights that will be needed after them
   */
  private void sweep(int chunk, long next, int worker) {
    int index = chunks.matrix(chunk);
    X86WeightMatrix weight = weight(index);
    weight
        .code()
        .many()
        .call(
            address(chunk),
            weight.code().tileProduct().table.address(worker),
            projections[index].output().address() + 4L * chunks.firstRow(chunk),
            chunks.rows(chunk),
            4L * weight.outputs(),
            next);
  }

  private void multiplyMany(int chunk, int worker) {
    int index = chunks.matrix(chunk);
    X86WeightMatrix weight = weight(index);
    FloatMatrix output = projections[index].output();
    int first = chunks.firstRow(chunk);
    TileProduct product = weight.code().tileProduct();
    switch (product.layout()) {
      case WholePanels layout ->
          multiplyPanels(weight, first, first + chunks.rows(chunk), layout, output, worker);
      case PanelFormat _ ->
          sweep(chunk, address(chunk) + chunks.rows(chunk) * weight.rowBytes(), worker);
    }
  }

  private void multiplyPanels(
      X86WeightMatrix weight,
      int first,
      int end,
      WholePanels layout,
      FloatMatrix output,
      int worker) {
    TileProduct product = weight.code().tileProduct();
    int outputs = weight.outputs();
    int panelRows = layout.panelRows();
    long panelBytes = layout.panelBytes(inputs);
    long panel = panels[worker].memory().address();
    for (int row = first; row < end; row += panelRows) {
      long place = panel + (row - first) / panelRows * panelBytes;
      int count = Math.min(panelRows, end - row);
      weight.code().many().call(weight.row(row), place, count, 0, 0, 0);
    }
    int tiles = tiles(layout);
    int steps = layout.steps(inputs);
    long tileStride = tileStride(layout, tiles);
    long tileAddress = product.tiles.memory().address();
    for (int tile = 0; tile < tiles; tile++) {
      int token = firstToken(layout, tile, tiles);
      MachineCode code = product.product(tokens(layout, tile, tiles), 0);
      for (int row = first; row < end; row += panelRows) {
        int count = Math.min(panelRows, end - row);
        code.call(
            panel + (row - first) / panelRows * panelBytes,
            tileAddress,
            output.address() + 4L * ((long) token * outputs + row),
            steps,
            4L * outputs,
            (1L << count) - 1);
      }
      tileAddress += tileStride;
    }
  }

  private int tiles(Layout layout) {
    return Math.ceilDiv(rows, layout.mostTokens());
  }

  /**
   * Tiles are of equal size, up to one {@link Layout#tokenStep}; the larger ones come first, and
   * the last may lack a part of a step.
   */
  private int firstToken(Layout layout, int tile, int tiles) {
    int steps = Math.ceilDiv(rows, layout.tokenStep());
    int step = tile * (steps / tiles) + Math.min(tile, steps % tiles);
    return Math.min(rows, step * layout.tokenStep());
  }

  private int tokens(Layout layout, int tile, int tiles) {
    return firstToken(layout, tile + 1, tiles) - firstToken(layout, tile, tiles);
  }

  /** Bytes from tile to tile. */
  private long tileStride(Layout layout, int tiles) {
    return layout.tileBytes(inputs, tokens(layout, 0, tiles));
  }

  private X86WeightMatrix weight(int index) {
    return (X86WeightMatrix) projections[index].weight();
  }

  @Override
  public void close() {
    quantized.close();
    for (Scratch panel : panels) {
      panel.close();
    }
  }
}
