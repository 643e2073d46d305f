package org.llamaj.kernel.x86;

import java.util.Arrays;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Workers;
import org.llamaj.tensor.FloatMatrix;

/**
 * Matrix products. Few rows of activations: each chunk is some weight rows, streamed once. Many:
 * activations are brought into tiles first; then each chunk is a few panels of weights, which meet
 * all tiles.
 *
 * <p>The state of a call is in fields, so that nothing is allocated.
 */
final class Projector implements AutoCloseable {
  /** Panels that a worker makes at a time stay in its second-level cache. */
  private static final int PANEL_CACHE_BYTES = 384 * 1024;

  private static final int MOST_PANELS = 4;

  private final Workers workers;
  private final RowChunks streams = new RowChunks();
  private final ShapedCode quantize;
  private final Scratch quantized = new Scratch();
  private final Scratch[] panels;
  private final Workers.Task fewTask = this::multiplyFew;
  private final Workers.Task tileTask = this::makeTile;
  private final Workers.Task manyTask = this::multiplyMany;

  private int inputs;
  private int rows;
  private long inputAddress;
  private long quantizedAddress;
  private Projection[] projections;

  /** With many rows: weight rows in a chunk, and the first chunk, of each projection. */
  private int[] chunkRows = {};

  private int[] firstChunk = {};

  /** The layout whose tiles are being made. */
  private TileProduct tileProduct;

  Projector(Workers workers, CodeCache cache) {
    this.workers = workers;
    quantize = new ShapedCode(cache, (values, unused) -> QuantizeCode.assemble(values));
    panels = new Scratch[workers.threads()];
    Arrays.setAll(panels, worker -> new Scratch());
  }

  void project(FloatMatrix input, int rowCount, Projection[] all) {
    inputs = input.columns();
    rows = rowCount;
    inputAddress = input.address();
    projections = all;
    if (chunkRows.length < all.length) {
      chunkRows = new int[all.length];
      firstChunk = new int[all.length + 1];
    }
    boolean few = true;
    for (int i = 0; i < all.length; i++) {
      few &= rows <= weight(i).code().fewRows();
    }
    if (few) {
      projectFew();
    } else {
      projectMany();
    }
    projections = null;
  }

  private void projectFew() {
    boolean quantizes = false;
    long bytes = 0;
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      WeightCode code = weight.code();
      quantizes |= code.quantizes();
      code.gemv(Math.min(rows, code.mostTokens()));
      int rest = rows % code.mostTokens();
      if (rest > 0) {
        code.gemv(rest);
      }
      bytes += weight.outputs() * weight.rowBytes();
    }
    streams.clear();
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      bytes -= weight.outputs() * weight.rowBytes();
      streams.add(i, weight.outputs(), weight.rowBytes(), bytes, workers.threads());
    }
    if (quantizes) {
      MachineCode code = quantize.get(inputs, 0);
      long rowBytes = QuantizedRow.bytes(inputs);
      quantizedAddress = quantized.address(rows * rowBytes);
      for (int row = 0; row < rows; row++) {
        code.callShort(
            inputAddress + 4L * row * inputs, quantizedAddress + row * rowBytes, 0, 0, 0, 0);
      }
    }
    workers.run(streams.count(), fewTask);
  }

  private void multiplyFew(int chunk, int worker) {
    int index = streams.matrix(chunk);
    X86WeightMatrix weight = weight(index);
    WeightCode code = weight.code();
    FloatMatrix output = projections[index].output();
    int outputs = weight.outputs();
    int first = streams.firstRow(chunk);
    int count = streams.rows(chunk);
    long activations = code.quantizes() ? quantizedAddress : inputAddress;
    long stride = code.quantizes() ? QuantizedRow.bytes(inputs) : 4L * inputs;
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
    for (int i = 0; i < projections.length; i++) {
      X86WeightMatrix weight = weight(i);
      weight.code().panel();
      long panelBytes = weight.code().tileProduct().panelBytes(inputs);
      int count = Math.clamp(PANEL_CACHE_BYTES / panelBytes, 1, MOST_PANELS);
      chunkRows[i] = count * PanelFormat.ROWS;
      firstChunk[i + 1] = firstChunk[i] + Math.ceilDiv(weight.outputs(), chunkRows[i]);
      for (Scratch panel : panels) {
        panel.address(count * panelBytes);
      }
    }
    workers.run(firstChunk[projections.length], manyTask);
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
    int tiles = tiles(product);
    int smaller = rows / tiles;
    product.tile(smaller);
    product.product(smaller);
    if (rows % tiles > 0) {
      product.tile(smaller + 1);
      product.product(smaller + 1);
    }
    product.tiles.address(tiles * product.tileBytes(inputs, smaller + 1));
    workers.run(tiles, tileTask);
    tileProduct = null;
  }

  private void makeTile(int tile, int worker) {
    TileProduct product = tileProduct;
    int tiles = tiles(product);
    int first = firstToken(tile, tiles);
    int tokens = firstToken(tile + 1, tiles) - first;
    product
        .tile(tokens)
        .call(
            inputAddress + 4L * first * inputs,
            tileAddress(product, tile, tiles),
            4L * inputs,
            product.steps(inputs),
            0,
            0);
  }

  private void multiplyMany(int chunk, int worker) {
    int index = projectionOf(chunk);
    X86WeightMatrix weight = weight(index);
    TileProduct product = weight.code().tileProduct();
    FloatMatrix output = projections[index].output();
    int outputs = weight.outputs();
    int first = (chunk - firstChunk[index]) * chunkRows[index];
    int end = Math.min(outputs, first + chunkRows[index]);
    long panelBytes = product.panelBytes(inputs);
    long panel = panels[worker].memory().address();
    for (int row = first; row < end; row += PanelFormat.ROWS) {
      long place = panel + (row - first) / PanelFormat.ROWS * panelBytes;
      int count = Math.min(PanelFormat.ROWS, end - row);
      weight.code().panel().call(weight.row(row), place, count, 0, 0, 0);
    }
    int tiles = tiles(product);
    int steps = product.steps(inputs);
    for (int tile = 0; tile < tiles; tile++) {
      int token = firstToken(tile, tiles);
      MachineCode code = product.product(firstToken(tile + 1, tiles) - token);
      long tileAddress = tileAddress(product, tile, tiles);
      for (int row = first; row < end; row += PanelFormat.ROWS) {
        int count = Math.min(PanelFormat.ROWS, end - row);
        code.call(
            panel + (row - first) / PanelFormat.ROWS * panelBytes,
            tileAddress,
            output.address() + 4L * ((long) token * outputs + row),
            steps,
            4L * outputs,
            (1L << count) - 1);
      }
    }
  }

  private int tiles(TileProduct product) {
    return Math.ceilDiv(rows, product.mostTokens());
  }

  /** Tiles are of equal size, up to one token; the larger ones come first. */
  private int firstToken(int tile, int tiles) {
    return tile * (rows / tiles) + Math.min(tile, rows % tiles);
  }

  private long tileAddress(TileProduct product, int tile, int tiles) {
    long stride = product.tileBytes(inputs, rows / tiles + 1);
    return product.tiles.memory().address() + tile * stride;
  }

  private int projectionOf(int chunk) {
    int index = 0;
    while (chunk >= firstChunk[index + 1]) {
      index++;
    }
    return index;
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
