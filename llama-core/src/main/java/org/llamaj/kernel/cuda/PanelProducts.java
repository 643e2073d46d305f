package org.llamaj.kernel.cuda;

import java.util.Optional;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CublasLt;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Products with many rows, by cuBLASLt where it is installed: it knows each generation's tensor
 * cores better than {@code matrix.cu} does. Weights that are not bfloat16 are turned into it, a
 * panel of outputs at a time, small enough to stay in the device's cache until it is multiplied.
 */
final class PanelProducts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PanelProducts.class);

  /** Rows from which on the pass over the weights is worth it; not measured yet. */
  private static final int LEAST_ROWS = 256;

  /** The same where there is nothing to turn. */
  private static final int LEAST_ROWS_OF_BFLOATS = 64;

  private static final long PANEL_BYTES = 32L << 20;
  private static final int MOST_OUTPUTS = 8192; // of a panel
  private static final int THREADS = 256;

  /** What the library may rely on. */
  private static final int ALIGNMENT = 256; // bytes

  private static final int ALIGNED_OUTPUTS = ALIGNMENT / Float.BYTES;

  private final Context context;
  private final Stream stream;
  private final Launches launches;
  private final long toBfloats;
  private Optional<CublasLt> library;
  private long workspace;
  private long panel;
  private long input; // bfloat16
  private long inputBytes;
  private boolean converted;

  PanelProducts(
      Context context,
      Stream stream,
      Launches launches,
      Optional<CublasLt> library,
      long toBfloats) {
    this.context = context;
    this.stream = stream;
    this.launches = launches;
    this.library = library;
    this.toBfloats = toBfloats;
  }

  /** For {@code describe()}. */
  String description() {
    return library.map(found -> ", prompts multiplied by cuBLASLt " + found.version()).orElse("");
  }

  /** Begins products on another input. */
  void begin() {
    converted = false;
  }

  /**
   * Makes a product, if it is one for the library.
   *
   * @return false if nothing was done
   */
  boolean project(CudaWeightMatrix.OnDevice w, long x, long y, int rows) {
    WeightFormat format = w.products().format();
    int least = format == WeightFormat.BF16 ? LEAST_ROWS_OF_BFLOATS : LEAST_ROWS;
    if (library.isEmpty() || rows < least || format == WeightFormat.F32) {
      return false;
    }
    int inputs = Math.toIntExact(format.blocks(w.inputs()) * format.blockSize()); // padded
    if (y % ALIGNMENT != 0 || (long) ALIGNED_OUTPUTS * Short.BYTES * inputs > PANEL_BYTES) {
      return false;
    }
    try {
      reserve((long) Short.BYTES * rows * inputs);
      if (!converted) {
        convert(x, rows, w.inputs(), inputs);
        converted = true;
      }
      multiply(w, format, y, rows, inputs);
      return true;
    } catch (CudaException e) {
      if (e.isLost()) {
        throw e;
      }
      LOG.warn(
          "{}: products of prompts go on without cuBLASLt: {}",
          context.device().name(),
          e.getMessage());
      close();
      return false;
    }
  }

  private void multiply(
      CudaWeightMatrix.OnDevice w, WeightFormat format, long y, int rows, int inputs) {
    CublasLt cublas = library.orElseThrow();
    int outputs = w.outputs();
    if (format == WeightFormat.BF16) {
      launches.flush();
      cublas.multiply(stream, w.main(), input, y, rows, inputs, outputs, outputs, workspace);
      return;
    }
    int fitting = (int) (PANEL_BYTES / ((long) Short.BYTES * inputs));
    int most = Math.min(MOST_OUTPUTS, fitting / ALIGNED_OUTPUTS * ALIGNED_OUTPUTS);
    for (int first = 0; first < outputs; first += most) {
      int count = Math.min(most, outputs - first);
      w.products().panel(launches, w, first, count, panel, inputs);
      launches.flush();
      long to = y + (long) Float.BYTES * first;
      cublas.multiply(stream, panel, input, to, rows, inputs, count, outputs, workspace);
    }
  }

  private void convert(long x, int rows, int columns, int padded) {
    long pairs = (long) rows * padded / 2;
    launches
        .add(toBfloats, Math.toIntExact(Math.ceilDiv(pairs, (long) THREADS)), 1, 1, THREADS, 0)
        .with(x)
        .with(input)
        .with(columns)
        .with(padded)
        .with(pairs);
  }

  private void reserve(long bytes) {
    if (workspace == 0) {
      workspace = context.allocate(CublasLt.WORKSPACE_BYTES);
      panel = context.allocate(PANEL_BYTES);
    }
    if (bytes > inputBytes) {
      launches.flush();
      stream.synchronize();
      if (input != 0) {
        context.free(input);
        input = 0;
        inputBytes = 0;
      }
      input = context.allocate(bytes);
      inputBytes = bytes;
      converted = false;
    }
  }

  /** The memory of the device ends with the context. */
  @Override
  public void close() {
    library.ifPresent(CublasLt::close);
    library = Optional.empty();
  }
}
