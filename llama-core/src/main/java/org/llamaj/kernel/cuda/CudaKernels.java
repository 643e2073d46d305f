package org.llamaj.kernel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.llamaj.kernel.AttentionShape.PAGE_TOKENS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.llamaj.LlamaException;
import org.llamaj.kernel.AttentionShape;
import org.llamaj.kernel.Kernels;
import org.llamaj.kernel.Mixture;
import org.llamaj.kernel.Offload;
import org.llamaj.kernel.PageMemory;
import org.llamaj.kernel.Projection;
import org.llamaj.kernel.Roof;
import org.llamaj.kernel.RotaryPairs;
import org.llamaj.kernel.Span;
import org.llamaj.kernel.WeightMatrix;
import org.llamaj.kernel.cuda.driver.Context;
import org.llamaj.kernel.cuda.driver.CublasLt;
import org.llamaj.kernel.cuda.driver.CudaException;
import org.llamaj.kernel.cuda.driver.Device;
import org.llamaj.kernel.cuda.driver.Stream;
import org.llamaj.tensor.FloatMatrix;
import org.llamaj.tensor.Tensor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Operations on a device where their activations are kept there or their weights are, and on the
 * processor otherwise.
 */
final class CudaKernels implements Kernels {
  private static final Logger LOG = LoggerFactory.getLogger(CudaKernels.class);

  private static final int ROW_THREADS = 256;
  private static final int NORM_SHARED = 8 * Float.BYTES;

  private final Context context;
  private final Kernels host;
  private final Modules modules;
  private final Launches launches;
  private final Activations activations;
  private final Constants constants;
  private final DeviceWeights weights;
  private final WeightUpload upload;
  private final CudaAttention attention;
  private final DevicePages pages;
  private final CudaMixtures mixtures;
  private final CudaBest best;
  private final PanelProducts panels;
  private final Stream stream;
  private final Arena arena = Arena.ofShared();
  private final ActivationFunctions functions;
  private MemorySegment ids = MemorySegment.NULL;
  private long idsAddress;

  /**
   * @param context the device; closed with the kernels
   * @param images machine code for it
   * @param host the processor's kernels; closed with these
   * @param offload what goes to the device
   */
  CudaKernels(Context context, KernelImages images, Kernels host, Offload offload) {
    this.context = context;
    this.host = host;
    context.makeCurrent();
    stream = context.newStream();
    launches = new Launches(stream);
    modules = new Modules(context, images);
    functions = ActivationFunctions.of(modules);
    activations = new Activations(context, stream, launches);
    constants = new Constants(context, stream);
    upload =
        new WeightUpload(context, stream, launches, functions.splitBlocks(), functions.padRows());
    weights = new DeviceWeights(context, host, modules, upload, offload);
    attention = new CudaAttention(context, launches, activations, modules);
    pages = new DevicePages(context);
    panels = new PanelProducts(context, stream, launches, openCublas(), functions.toBfloats());
    best = new CudaBest(context, stream, launches, activations, modules);
    mixtures = new CudaMixtures(context, stream, launches, activations, modules, weights);
  }

  /** Without it, or with one that cannot be used, the kernels here multiply. */
  private static Optional<CublasLt> openCublas() {
    try {
      return CublasLt.open();
    } catch (CudaException e) {
      LOG.warn("cuBLASLt is there and cannot be used: {}", e.getMessage());
      return Optional.empty();
    }
  }

  @Override
  public String description() {
    return "cuda: %s, %s%s, %s%s"
        .formatted(
            context.device(),
            modules.description(),
            panels.description(),
            weights.description(),
            weights.hasSomeOnHost() ? ", the others on " + host.description() : "");
  }

  @Override
  public Optional<Roof> roof() {
    Device device = context.device();
    return device.bytesPerSecond() == 0
        ? Optional.empty()
        : Optional.of(
            new Roof(device.name(), device.bytesPerSecond(), device.operationsPerSecond()));
  }

  @Override
  public WeightMatrix weightMatrix(Tensor tensor) {
    context.makeCurrent();
    return weights.place(tensor);
  }

  @Override
  public void project(FloatMatrix input, int rows, Projection... projections) {
    context.makeCurrent();
    int onHost = 0;
    long x = 0;
    panels.begin();
    for (Projection projection : projections) {
      if (decided(projection) instanceof CudaWeightMatrix.OnDevice weight) {
        if (x == 0) {
          upload.release();
          x = activations.reading(input, rows);
        }
        long y = activations.writing(projection.output(), rows);
        if (!panels.project(weight, x, y, rows)) {
          weight.products().project(launches, weight, x, y, rows);
        }
      } else {
        onHost++;
      }
    }
    activations.finish();
    if (onHost > 0) {
      projectOnHost(input, rows, projections);
    }
  }

  private CudaWeightMatrix decided(Projection projection) {
    return weights.decided((CudaWeightMatrix) projection.weight());
  }

  private void projectOnHost(FloatMatrix input, int rows, Projection[] projections) {
    List<Projection> onHost = new ArrayList<>();
    for (Projection projection : projections) {
      if (decided(projection) instanceof CudaWeightMatrix.OnHost weight) {
        onHost.add(new Projection(weight.matrix(), projection.output()));
      }
    }
    fetch(input, rows);
    host.project(input, rows, onHost.toArray(Projection[]::new));
    for (Projection projection : onHost) {
      publish(projection.output(), rows);
    }
  }

  @Override
  public void embed(WeightMatrix table, int[] tokens, int count, FloatMatrix output) {
    context.makeCurrent();
    switch ((CudaWeightMatrix) table) {
      case CudaWeightMatrix.OnDevice onDevice -> embedOnDevice(onDevice, tokens, count, output);
      case CudaWeightMatrix.OnHost(WeightMatrix matrix) ->
          embedOnHost(matrix, tokens, count, output);
      case CudaWeightMatrix.Undecided undecided -> {
        if (undecided.decided() != null) {
          embed(undecided.decided(), tokens, count, output);
        } else {
          embedOnHost(undecided.onHost(host), tokens, count, output);
        }
      }
    }
  }

  private void embedOnHost(WeightMatrix table, int[] tokens, int count, FloatMatrix output) {
    host.embed(table, tokens, count, output);
    publish(output, count);
  }

  private void embedOnDevice(
      CudaWeightMatrix.OnDevice table, int[] tokens, int count, FloatMatrix output) {
    long bytes = (long) Integer.BYTES * count;
    if (ids.byteSize() < bytes) {
      activations.finishAll();
      if (idsAddress != 0) {
        context.free(idsAddress);
      }
      ids = arena.allocate(JAVA_INT, Math.max(1024, 2L * count));
      idsAddress = context.allocate(ids.byteSize());
    }
    MemorySegment.copy(tokens, 0, ids, JAVA_INT, 0, count);
    activations.upload(ids.asSlice(0, bytes), idsAddress);
    long y = activations.writing(output, count);
    table.products().embed(launches, table, idsAddress, y, count);
    activations.finish();
  }

  @Override
  public void rmsNorm(
      FloatMatrix input, int rows, MemorySegment weight, float eps, FloatMatrix output) {
    context.makeCurrent();
    if (!activations.isKept(input) || !activations.isKept(output)) {
      fetch(input, rows);
      host.rmsNorm(input, rows, weight, eps, output);
      publish(output, rows);
      return;
    }
    launches
        .add(functions.rmsNorm(), rows, 1, 1, ROW_THREADS, NORM_SHARED)
        .with(activations.address(input))
        .with(constants.address(weight))
        .with(activations.address(output))
        .with(input.columns())
        .with(eps);
  }

  @Override
  public void rotate(FloatMatrix x, int rows, int headDim, FloatMatrix angles, RotaryPairs pairs) {
    context.makeCurrent();
    if (!activations.isKept(x) || !activations.isKept(angles)) {
      fetch(x, rows);
      fetch(angles, rows);
      host.rotate(x, rows, headDim, angles, pairs);
      publish(x, rows);
      return;
    }
    boolean halves = pairs == RotaryPairs.HALF_SPLIT;
    launches
        .add(functions.rotate(), rows, 1, 1, ROW_THREADS, 0)
        .with(activations.address(x))
        .with(activations.address(angles))
        .with(x.columns())
        .with(headDim)
        .with(angles.columns())
        .with(halves ? 1 : 2)
        .with(halves ? angles.columns() / 2 : 1);
  }

  @Override
  public void store(
      FloatMatrix keys, FloatMatrix values, Span[] spans, int spanCount, AttentionShape shape) {
    context.makeCurrent();
    if (onDevice(spans[0], shape)) {
      attention.store(keys, values, spans, spanCount, shape);
      return;
    }
    int rows = rows(spans, spanCount);
    fetch(keys, rows);
    fetch(values, rows);
    host.store(keys, values, spans, spanCount, shape);
  }

  @Override
  public void attention(
      FloatMatrix queries, Span[] spans, int spanCount, AttentionShape shape, FloatMatrix output) {
    context.makeCurrent();
    if (onDevice(spans[0], shape)) {
      attention.attend(queries, spans, spanCount, shape, output);
      return;
    }
    int rows = rows(spans, spanCount);
    fetch(queries, rows);
    host.attention(queries, spans, spanCount, shape, output);
    publish(output, rows);
  }

  private boolean onDevice(Span span, AttentionShape shape) {
    int page = span.lastKey(0) / PAGE_TOKENS;
    boolean there = pages.contains(span.pages().address(shape.layer(), page));
    if (there && !CudaAttention.supports(shape)) {
      throw new LlamaException(
          "heads of %d values are more than the CUDA kernels take: load with other kernels"
              .formatted(shape.headDim()));
    }
    return there;
  }

  private static int rows(Span[] spans, int spanCount) {
    int rows = 0;
    for (int i = 0; i < spanCount; i++) {
      rows = Math.max(rows, spans[i].firstRow() + spans[i].rows());
    }
    return rows;
  }

  @Override
  public void swiGlu(FloatMatrix gate, FloatMatrix up, int rows) {
    context.makeCurrent();
    if (!activations.isKept(gate) || !activations.isKept(up)) {
      fetch(gate, rows);
      fetch(up, rows);
      host.swiGlu(gate, up, rows);
      publish(gate, rows);
      return;
    }
    long count = (long) rows * gate.columns();
    elementwise(functions.swiGlu(), count)
        .with(activations.address(gate))
        .with(activations.address(up))
        .with(count);
  }

  @Override
  public boolean mix(
      FloatMatrix input, FloatMatrix scores, int rows, Mixture mixture, FloatMatrix output) {
    context.makeCurrent();
    if (!activations.isKept(input) || !activations.isKept(scores) || !activations.isKept(output)) {
      return false;
    }
    return mixtures.mix(
        activations.address(input),
        activations.address(scores),
        rows,
        mixture,
        activations.address(output));
  }

  @Override
  public void add(FloatMatrix x, FloatMatrix y, int rows) {
    context.makeCurrent();
    if (!activations.isKept(x)) {
      fetch(y, rows);
      host.add(x, y, rows);
      return;
    }
    long count = (long) rows * x.columns();
    long from = activations.reading(y, rows);
    elementwise(functions.add(), count).with(activations.address(x)).with(from).with(count);
    activations.finish();
  }

  @Override
  public void addBias(FloatMatrix x, int rows, MemorySegment bias) {
    context.makeCurrent();
    if (!activations.isKept(x)) {
      host.addBias(x, rows, bias);
      return;
    }
    long count = (long) rows * x.columns();
    elementwise(functions.addBias(), count)
        .with(activations.address(x))
        .with(constants.address(bias))
        .with(x.columns())
        .with(count);
  }

  @Override
  public void layerNorm(
      FloatMatrix input,
      int rows,
      MemorySegment weight,
      MemorySegment bias,
      float eps,
      FloatMatrix output) {
    fetch(input, rows);
    host.layerNorm(input, rows, weight, bias, eps, output);
    publish(output, rows);
  }

  @Override
  public void gelu(FloatMatrix x, int rows) {
    fetch(x, rows);
    host.gelu(x, rows);
    publish(x, rows);
  }

  @Override
  public void scale(FloatMatrix x, int rows, float factor) {
    context.makeCurrent();
    if (!activations.isKept(x)) {
      host.scale(x, rows, factor);
      return;
    }
    long count = (long) rows * x.columns();
    elementwise(functions.scale(), count).with(activations.address(x)).with(factor).with(count);
  }

  @Override
  public void best(FloatMatrix x, int rows, int count, int[] indices, float[] values) {
    context.makeCurrent();
    if (activations.isKept(x)) {
      best.find(activations.address(x), rows, x.columns(), count, indices, values);
    } else {
      host.best(x, rows, count, indices, values);
    }
  }

  @Override
  public void copyRow(FloatMatrix source, int from, FloatMatrix target, int to) {
    context.makeCurrent();
    if (!activations.isKept(source) || !activations.isKept(target)) {
      FloatMatrix row = source.rows(from, 1);
      fetch(row, 1);
      host.copyRow(source, from, target, to);
      publish(target.rows(to, 1), 1);
      return;
    }
    long bytes = (long) Float.BYTES * source.columns();
    elementwise(functions.copy(), source.columns())
        .with(activations.address(source) + from * bytes)
        .with(activations.address(target) + to * bytes)
        .with((long) source.columns());
  }

  private Launches elementwise(long function, long count) {
    int blocks = Math.toIntExact(Math.ceilDiv(count, (long) ROW_THREADS));
    return launches.add(function, blocks, 1, 1, ROW_THREADS, 0);
  }

  @Override
  public void keep(FloatMatrix matrix) {
    context.makeCurrent();
    activations.keep(matrix);
  }

  @Override
  public void fetch(FloatMatrix x, int rows) {
    context.makeCurrent();
    activations.fetch(x, rows);
  }

  @Override
  public void publish(FloatMatrix x, int rows) {
    context.makeCurrent();
    activations.publish(x, rows);
  }

  @Override
  public void finish() {
    context.makeCurrent();
    activations.finishAll();
    attention.endPass();
  }

  @Override
  public PageMemory pageMemory(PageMemory processors) {
    return pages;
  }

  @Override
  public void close() {
    panels.close();
    context.close();
    launches.close();
    attention.close();
    best.close();
    arena.close();
    host.close();
  }
}
